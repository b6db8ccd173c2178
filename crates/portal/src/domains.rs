//! `domains.yaml`: which service belongs to which domain, and the domain's colour and icon. Hostile like every other input.

use std::collections::BTreeMap;

use trueup_intent::{IntentError, Source, properties};
use trueup_model::location::{Located, Location};

use crate::pages::icons;

/// All domains, in the order of the file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Domains {
    /// One entry a domain.
    pub domains: Vec<Domain>,
    /// What was set aside, and why: the file's author should know.
    pub notes: Vec<Note>,
}

/// A group of services.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// Its name, as written.
    pub name: String,
    /// Its colour, when one is given that is a colour.
    pub color: Option<Color>,
    /// The name of its icon, as written.
    pub icon: Option<String>,
    /// Names of services, as written; they need not exist.
    pub services: Vec<Located<String>>,
}

/// A colour that is safe in a stylesheet: three bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Color {
    red: u8,
    green: u8,
    blue: u8,
}

/// Something in an input that was not used, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Where.
    pub at: Location,
    /// What is the case, in one sentence.
    pub message: String,
}

impl Color {
    /// Reads `#rgb` or `#rrggbb`; nothing else is a colour.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#')?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let long: String = match digits.len() {
            3 => digits.chars().flat_map(|digit| [digit, digit]).collect(),
            6 => digits.to_owned(),
            _ => return None,
        };
        let byte = |from: usize| u8::from_str_radix(long.get(from..from + 2)?, 16).ok();
        Some(Self { red: byte(0)?, green: byte(2)?, blue: byte(4)? })
    }

    /// `#rrggbb`.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl Domains {
    /// The position of the domain that a service belongs to: the first that names it.
    pub fn of(&self, service: &str) -> Option<usize> {
        self.domains.iter().position(|domain| domain.services.iter().any(|named| named.value == service))
    }
}

/// Reads `domains.yaml`. Unknown keys are left alone: the file belongs to other programs too.
///
/// # Errors
/// What makes the YAML unreadable, with every place.
pub fn read(source: &Source) -> Result<Domains, Vec<IntentError>> {
    let documents = properties::flatten(&source.path, &source.bytes)?;
    let mut entries: Vec<(String, Located<String>)> =
        documents.into_iter().flat_map(|document| document.values).collect();
    // The map is sorted by key; the file's own order is what its author sees.
    entries.sort_by(|a, b| a.1.at.cmp(&b.1.at));
    let mut domains = Domains::default();
    let mut positions = BTreeMap::new();
    for (key, value) in entries {
        let Some((name, field)) = split(&key) else {
            // Of `A:` and `A: {}` there is nothing to set aside.
            if value.value.is_empty() {
                continue;
            }
            let message = format!("`{key}` is no domain: expected `color`, `icon` and a list of `services` below it");
            domains.note(value.at, message);
            continue;
        };
        let position = *positions.entry(name.to_owned()).or_insert_with(|| {
            domains.domains.push(Domain { name: name.to_owned(), color: None, icon: None, services: Vec::new() });
            domains.domains.len() - 1
        });
        domains.take(position, field, value);
    }
    domains.drop_repeated();
    Ok(domains)
}

/// What a property of a domain says.
#[derive(Clone, Copy)]
enum Field<'k> {
    Color,
    Icon,
    Service,
    /// `services` that are no list.
    Services,
    /// A key as it is written, and the one that is meant.
    Misspelt(&'k str, &'static str),
    Other,
}

/// Keys that other programs hardly have, and what is meant by them.
const MISSPELT: [(&str, &str); 5] =
    [("colour", "color"), ("colors", "color"), ("icons", "icon"), ("service", "services"), ("Services", "services")];

/// `Guest Identity.services[0]`: the domain and the field; a domain's name may have dots in it.
fn split(key: &str) -> Option<(&str, Field<'_>)> {
    let (name, field) = key.rsplit_once('.')?;
    let field = match field {
        "color" => Field::Color,
        "icon" => Field::Icon,
        "services" => Field::Services,
        _ if field.starts_with("services[") && field.ends_with(']') => Field::Service,
        _ => {
            let bare = field.split('[').next().unwrap_or(field);
            let meant = MISSPELT.iter().find(|(written, _)| *written == bare);
            meant.map_or(Field::Other, |(_, meant)| Field::Misspelt(bare, meant))
        }
    };
    Some((name, field))
}

impl Domains {
    fn take(&mut self, position: usize, field: Field<'_>, value: Located<String>) {
        let domain = &mut self.domains[position];
        let (name, text) = (&domain.name, value.value.as_str());
        let message = match field {
            Field::Service => {
                domain.services.push(value);
                return;
            }
            Field::Icon => {
                domain.icon = (!text.trim().is_empty()).then(|| text.to_owned());
                (domain.icon.is_some() && !icons::is_drawn(text)).then(|| {
                    let known = icons::names().collect::<Vec<_>>().join(", ");
                    format!("the icon `{text}` is not drawn, letters stand for it; drawn are {known}")
                })
            }
            Field::Color => {
                domain.color = Color::parse(text);
                (domain.color.is_none() && !text.is_empty())
                    .then(|| format!("the colour of `{name}` is not of the form #rrggbb, and is not used"))
            }
            // An empty text is how an empty list is read.
            Field::Services => (!text.is_empty())
                .then(|| format!("the services of `{name}` are no list, and are not used: write `services: [{text}]`")),
            Field::Misspelt(written, meant) => Some(format!("`{written}` of `{name}` is not used: `{meant}` would be")),
            Field::Other => None,
        };
        if let Some(message) = message {
            self.note(value.at, message);
        }
    }

    /// Notes that something was set aside.
    pub fn note(&mut self, at: Location, message: String) {
        self.notes.push(Note { at, message });
    }

    /// A service belongs to the first domain that names it.
    fn drop_repeated(&mut self) {
        let mut owners: BTreeMap<String, String> = BTreeMap::new();
        let Self { domains, notes } = self;
        for domain in domains {
            let name = domain.name.clone();
            domain.services.retain(|service| match owners.get(&service.value) {
                None => {
                    owners.insert(service.value.clone(), name.clone());
                    true
                }
                Some(owner) => {
                    let message = format!("`{}` is already in the domain `{owner}`, and stays there", service.value);
                    notes.push(Note { at: service.at.clone(), message });
                    false
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn domains(yaml: &str) -> Domains {
        read(&Source { path: "domains.yaml".to_owned(), bytes: yaml.as_bytes().to_vec() }).unwrap()
    }

    #[test]
    fn the_order_of_the_file_is_kept() {
        let read = domains("Z:\n  color: '#2563eb'\n  icon: cog\n  services:\n  - b\n  - a\nA.B:\n  services: [c]\n");
        let names: Vec<_> = read.domains.iter().map(|domain| domain.name.as_str()).collect();
        assert_eq!(names, ["Z", "A.B"]);
        assert_eq!(read.domains[0].color.map(Color::hex), Some("#2563eb".to_owned()));
        assert_eq!((read.domains[0].icon.as_deref(), read.domains[1].icon.as_deref()), (Some("cog"), None));
        assert_eq!(read.of("a"), Some(0));
        assert_eq!(read.of("c"), Some(1));
        assert_eq!(read.of("d"), None);
        assert_eq!(read.notes, []);
    }

    #[test]
    fn a_colour_is_three_bytes_or_nothing() {
        assert_eq!(Color::parse("#0aF").map(Color::hex), Some("#00aaff".to_owned()));
        for text in ["red", "#12345", "#12345g", "#fff;}body{display:none", "url(//x)", "#éé"] {
            assert_eq!(Color::parse(text), None, "{text}");
        }
        let read = domains("A:\n  color: 'red;}*{display:none}'\n  services: [a]\n");
        assert_eq!(read.domains[0].color, None);
        assert_eq!((read.notes[0].at.line, read.notes[0].at.column), (2, 10));
    }

    #[test]
    fn a_service_in_two_domains_stays_in_the_first() {
        let read = domains("A:\n  services: [s]\nB:\n  services: [s, t]\n");
        assert_eq!(read.domains[1].services.len(), 1);
        assert_eq!(read.notes[0].at.line, 4);
    }

    #[test]
    fn what_is_not_used_is_said_once_with_its_place() {
        let said = |yaml: &str| {
            let notes = domains(yaml).notes;
            notes
                .into_iter()
                .map(|note| format!("{}:{} {}", note.at.line, note.at.column, note.message))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            said("A:\n  services: svc-a\n"),
            ["2:13 the services of `A` are no list, and are not used: write `services: [svc-a]`"]
        );
        assert_eq!(
            said("A:\n  colour: '#fff'\n  services: [a]\n"),
            ["2:11 `colour` of `A` is not used: `color` would be"]
        );
        assert_eq!(said("A:\n  service: [a]\n"), ["2:13 `service` of `A` is not used: `services` would be"]);
        assert_eq!(
            said("A: b\n"),
            ["1:4 `A` is no domain: expected `color`, `icon` and a list of `services` below it"]
        );
        let icon = said("A:\n  icon: rocket\n  services: [a]\n");
        assert!(
            icon[0].starts_with("2:9 the icon `rocket` is not drawn, letters stand for it; drawn are account, "),
            "{icon:?}"
        );
        for fine in
            ["A:\n  icon: mdi-book\n  owner: x\n  services: [a]\n", "A:\n  icon: ''\n  services: []\n", "A: {}\n"]
        {
            assert_eq!(said(fine), [""; 0], "{fine}");
        }
    }

    #[test]
    fn unreadable_yaml_has_a_place() {
        let errors = read(&Source { path: "d.yaml".to_owned(), bytes: b"A:\n  x: [\n".to_vec() }).unwrap_err();
        assert_eq!(&*errors[0].at.file, "d.yaml");
    }
}
