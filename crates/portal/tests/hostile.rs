//! Text from everywhere is hostile: whatever it is, the pages have the structure that harmless text gives them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::cell::Cell;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::process::Command;

use scraper::{Html, Selector};
use trueup_intent::Source;
use trueup_intent::written::Written;
use trueup_model::declared::*;
use trueup_model::finding::{Finding, ObjectKind, ObjectPath};
use trueup_model::location::{Located, Location};
use trueup_model::rule::Rule;
use trueup_portal::difference::{Comparison, Difference, Side, build_into};
use trueup_portal::domains::{Color, Domain, Domains, Note};
use trueup_portal::input::{Accepted, CheckReport, Input, Known, ServiceVerdict, Status};
use trueup_portal::markdown::{self, Flavour};
use trueup_portal::source::SourceLinks;
use trueup_portal::truth::{Commit, Environment, Live, Made, Merged, Migration, MigrationKind, Provenance};
use trueup_portal::{Site, build};
use trueup_testkit::skipped;

const PAYLOADS: &[&str] = &[
    "<script>window.pwned=1</script>",
    "\"><img src=x onerror=window.pwned=1>",
    "' onmouseover='window.pwned=1",
    "</title></svg></script><svg onload=window.pwned=1>",
    "javascript:window.pwned=1",
    "</text><foreignObject><iframe srcdoc=x>",
    "]]><!--",
    "&lt;b&gt;&#60;b&#62;",
    "${window.pwned=1}`\\\"\\u003cscript>",
    "../../../etc/passwd",
    "..\\..\\con.html\0",
    "\u{202e}gnp.exe\u{2066}\u{200f}",
    "a\u{0}b\u{1b}[31m\r\n\u{7f}\u{85}\u{2028}\u{feff}",
    "عربي שלום 表 🙂",
    "{{constructor}}[[x]](javascript:1)",
    "",
];

/// Texts, each of them unlike every other.
struct Texts<'a> {
    made: Cell<usize>,
    text: &'a dyn Fn(usize) -> String,
}

impl Texts<'_> {
    fn next(&self) -> String {
        self.made.set(self.made.get() + 1);
        format!("{}~{}", (self.text)(self.made.get()), self.made.get())
    }

    fn at(&self) -> Location {
        Location::new(self.next(), 3, 4)
    }

    fn located<T>(&self, value: T) -> Located<T> {
        Located::new(value, self.at())
    }

    fn name(&self) -> Located<trueup_model::name::Identifier> {
        let name = self.next();
        self.located(name.into())
    }

    fn sql(&self) -> Located<String> {
        let text = self.next();
        self.located(text)
    }
}

fn column(texts: &Texts<'_>, target: Target) -> DeclaredColumn {
    DeclaredColumn {
        name: texts.name(),
        renamed_from: Some(texts.name()),
        type_sql: Some(texts.sql()),
        primary_key: None,
        not_null: true,
        nullability_at: texts.at(),
        default: Some(texts.sql()),
        generated: None,
        identity: None,
        unique: Some(texts.at()),
        checks: vec![
            texts.located(Check::Expression(texts.next())),
            texts.located(Check::Comparison { operator: texts.next(), operand: texts.next() }),
        ],
        references: Some(Reference { at: texts.at(), target, on_delete: Some(texts.sql()) }),
        encrypted: Some(texts.at()),
        notes: vec![texts.next(), texts.next()],
        not_understood: vec![Aspect::Nullability],
    }
}

fn table(texts: &Texts<'_>, targets: Vec<Target>) -> DeclaredTable {
    let mut columns: Vec<_> = targets.into_iter().map(|target| column(texts, target)).collect();
    columns[0].primary_key = Some(texts.at());
    let index = DeclaredIndex {
        name: texts.name(),
        renamed_from: Some(texts.name()),
        keys: vec![IndexKey {
            term: IndexTerm::Expression(texts.next()),
            operator_class: Some(OperatorClass { schema: Some(texts.next().into()), name: texts.next().into() }),
            descending: true,
            nulls_first: Some(true),
            at: texts.at(),
        }],
        unique: true,
        method: Some(texts.sql()),
        predicate: Some(texts.sql()),
        include: vec![texts.name()],
        nulls_not_distinct: true,
        not_understood: false,
    };
    DeclaredTable {
        name: texts.name(),
        schema: Some(texts.next().into()),
        renamed_from: Some(texts.name()),
        description: Some(texts.next()),
        details: Some(TableDetails { columns, indexes: vec![index] }),
    }
}

fn service(texts: &Texts<'_>, is_postgres: bool) -> DeclaredService {
    let first = table(
        texts,
        vec![
            Target::Missing { text: texts.next() },
            Target::Service { service: texts.next(), table: Some(texts.next().into()) },
        ],
    );
    let name = first.name.value.clone();
    let second =
        table(texts, vec![Target::Table { table: name.clone(), column: None }, Target::UnknownKey { table: name }]);
    DeclaredService {
        name: texts.sql(),
        engine: Engine { text: texts.next(), at: texts.at(), is_postgres, major: Some(15), postgis: false },
        schema: Some(texts.name()),
        schema_renamed_from: Some(texts.name()),
        renamed_from: Some(texts.sql()),
        tables: vec![
            first,
            second,
            DeclaredTable { details: None, ..table(texts, vec![Target::Missing { text: String::new() }]) },
        ],
        extensions: vec![texts.name()],
        migrations: Some(texts.sql()),
        owner: Some(texts.sql()),
        ignore: Vec::new(),
        prose: Prose {
            features: vec![texts.next(), texts.next()],
            volume: Some(texts.next()),
            backup: Some(texts.next()),
            connection_pool: vec![(texts.next(), texts.next())],
        },
    }
}

fn finding(texts: &Texts<'_>, service: &DeclaredService) -> Finding {
    let table = &service.tables[0];
    let path = ["schema".into(), table.name.value.clone(), texts.next().into()];
    Finding::new(Rule::ColumnType, service.name.value.as_str(), ObjectPath::new(ObjectKind::Column, path))
        .message(texts.next())
        .help(texts.next())
        .in_intent(Some(&texts.at()))
        .in_migration(Some(&texts.at()))
        .fix(texts.next())
}

fn migration(texts: &Texts<'_>, merged: Merged) -> Migration {
    Migration {
        version: Some(texts.next()),
        description: texts.next(),
        script: texts.next(),
        kind: MigrationKind::Versioned,
        file: texts.next(),
        checksum: Some(1),
        merged,
        live: vec![Live::Since(texts.next()), Live::Unknown(texts.next())],
    }
}

/// Two migrations, of which one made the first table and its members, under names of their own.
fn provenance(texts: &Texts<'_>, service: &DeclaredService) -> Provenance {
    let commit = Commit { id: texts.next(), day: texts.next() };
    let mut known =
        Provenance::of(vec![migration(texts, Merged::Yes(Some(commit))), migration(texts, Merged::Unknown)]);
    let (table, details) = (&service.tables[0], service.tables[0].details.as_ref().unwrap());
    let columns = details.columns.iter().map(|column| (ObjectKind::Column, Some(column.name.value.clone())));
    let indexes = details.indexes.iter().map(|index| (ObjectKind::Index, Some(index.name.value.clone())));
    for (kind, member) in [(ObjectKind::Table, None)].into_iter().chain(columns).chain(indexes) {
        let path = [table.schema.clone(), Some(table.name.value.clone()), member].into_iter().flatten();
        let made = Made { migration: Some(0), at: Some(texts.at()), other_name: Some(texts.next()) };
        known.add(&ObjectPath::new(kind, path), made);
    }
    known
}

/// A portal whose every text comes from `text`.
fn portal(text: &dyn Fn(usize) -> String) -> Site {
    portal_with(text, 0)
}

/// The same with a first service that is so large that its tables have pages.
fn large(text: &dyn Fn(usize) -> String) -> Site {
    portal_with(text, 14)
}

/// The tables of a large service, which has so many times three more.
const LARGE: usize = 15 * 3;

fn portal_with(text: &dyn Fn(usize) -> String, more: usize) -> Site {
    made_of(text, more, build)
}

/// What is made of an input whose every text comes from `text`.
fn made_of(text: &dyn Fn(usize) -> String, more: usize, make: impl FnOnce(&Input<'_>) -> Site) -> Site {
    let texts = Texts { made: Cell::new(0), text };
    let mut declared =
        Declared { services: vec![service(&texts, true), service(&texts, true), service(&texts, false)] };
    for _ in 0..more {
        declared.services[0].tables.extend(service(&texts, true).tables);
    }
    let [first, second, third] = declared.services.as_slice() else { unreachable!() };
    let domains = Domains {
        domains: vec![
            Domain {
                name: texts.next(),
                color: Color::parse("#123456"),
                icon: Some(texts.next()),
                services: vec![first.name.clone()],
            },
            Domain {
                name: texts.next(),
                color: Color::parse(&texts.next()),
                icon: None,
                services: vec![second.name.clone()],
            },
        ],
        notes: vec![Note { at: texts.at(), message: texts.next() }],
    };
    let verdict = |status, texts: &Texts<'_>| ServiceVerdict {
        status,
        reason: Some(texts.next()),
        provenance: None,
        outdated: None,
    };
    let accepted = Accepted { finding: finding(&texts, first), by: texts.next(), reason: Some(texts.next()) };
    let mut stray = finding(&texts, first);
    stray.service = texts.next();
    let made = Some(provenance(&texts, first));
    let environments = [texts.next(), texts.next()]
        .map(|name| Environment { name, as_of: BTreeMap::from([(first.name.value.clone(), texts.next())]) });
    let source = SourceLinks::parse("https://github.com/acme/library", &texts.next(), &texts.next()).unwrap();
    let report = CheckReport {
        engine: Some(texts.next()),
        scope: Some(texts.next()),
        errors: vec![texts.next()],
        services: BTreeMap::from([
            (first.name.value.clone(), ServiceVerdict { provenance: made, ..verdict(Status::Checked, &texts) }),
            (second.name.value.clone(), verdict(Status::Unknown, &texts)),
            (third.name.value.clone(), verdict(Status::NotChecked, &texts)),
        ]),
        findings: vec![finding(&texts, first), finding(&texts, second), stray],
        accepted: vec![accepted],
    };
    make(&Input {
        declared: &declared,
        files: &[texts.next(), texts.next()],
        written: &Written::default(),
        reading: &[],
        domains: &domains,
        report: Some(&report),
        drawings: None,
        known: Known {
            environments: &environments,
            main: Some(&texts.next()),
            source: Some(&source),
            notes: &[texts.next()],
            title: Some(&texts.next()),
        },
    })
}

fn pages(site: &Site) -> Vec<(&String, String)> {
    let html = site.files.iter().filter(|(path, _)| path.ends_with(".html"));
    html.map(|(path, bytes)| (path, String::from_utf8(bytes.clone()).unwrap())).collect()
}

/// Elements in order, each with the names of its attributes.
fn structure(page: &str) -> Vec<String> {
    let parsed = Html::parse_document(page);
    let any = Selector::parse("*").unwrap();
    // Code between backticks, and where it may break, follow the text; bare elements of these names do nothing.
    let follows_text = |name: &str, attributes: usize| attributes == 0 && ["wbr", "code"].contains(&name);
    let elements = parsed.select(&any).map(|element| element.value());
    let all = elements.filter(|element| !follows_text(element.name(), element.attrs().count())).map(|element| {
        let mut names: Vec<&str> = element.attrs().map(|(name, _)| name).collect();
        names.sort_unstable();
        format!("{} {}", element.name(), names.join(" "))
    });
    all.collect()
}

fn by_length(site: &Site) -> Vec<Vec<String>> {
    let mut all: Vec<_> = pages(site).into_iter().map(|(_, page)| structure(&page)).collect();
    all.sort();
    all
}

fn hostile() -> Site {
    portal(&|n| PAYLOADS[n % PAYLOADS.len()].to_owned())
}

fn hostile_large() -> Site {
    large(&|n| PAYLOADS[n % PAYLOADS.len()].to_owned())
}

#[test]
fn hostile_text_changes_no_structure() {
    let harmless = by_length(&portal(&|_| "plain".to_owned()));
    for shift in 0..PAYLOADS.len() {
        let site = portal(&|n| PAYLOADS[(n + shift) % PAYLOADS.len()].to_owned());
        assert_eq!(by_length(&site), harmless, "shift {shift}");
    }
    assert_eq!(harmless.len(), 10);
}

#[test]
fn hostile_text_changes_no_structure_of_pages_of_tables() {
    let harmless = by_length(&large(&|_| "plain".to_owned()));
    assert_eq!(harmless.len(), 10 + LARGE);
    for shift in [0, 5, 10] {
        let site = large(&|n| PAYLOADS[(n + shift) % PAYLOADS.len()].to_owned());
        assert_eq!(by_length(&site), harmless, "shift {shift}");
    }
}

#[test]
fn nothing_executes_and_nothing_leads_out() {
    assert_harmless(&hostile());
    assert_harmless(&hostile_large());
}

/// The page for addresses without one: it is shown at any depth, and so asks for no other file.
const MISSING: &str = "404.html";

/// How many scripts a page has.
fn scripts(path: &str) -> usize {
    usize::from(path != MISSING)
}

fn assert_harmless(site: &Site) {
    for (path, page) in pages(site) {
        let parsed = Html::parse_document(&page);
        assert_eq!(parsed.select(&Selector::parse("script").unwrap()).count(), scripts(path), "{path}");
        for banned in [
            "iframe",
            "img",
            "foreignobject",
            "foreignObject",
            "object",
            "embed",
            "style",
            "base",
            "form",
            "use",
            "animate",
        ] {
            assert_eq!(parsed.select(&Selector::parse(banned).unwrap()).count(), 0, "{path} has {banned}");
        }
        for element in parsed.select(&Selector::parse("*").unwrap()) {
            for (name, value) in element.value().attrs() {
                assert!(!name.starts_with("on") && name != "style" && name != "srcdoc", "{path}: {name}");
                if name == "href" || name == "src" {
                    assert_address(path, value, site);
                }
            }
        }
        // The text is there, which proves that it was put to the test. The guide shows nothing but names of files, and the page
        // for those that are not there nothing of the intent.
        // The map shows nothing but names of services, which meet other attacks; the page of a table that is only listed has not
        // all of them.
        let planted = if path == "map.html" { "window.pwned=1" } else { "<script>window.pwned=1</script>" };
        let is_shown = parsed.root_element().text().any(|text| text.contains(planted));
        let is_of_table = path.matches('/').count() == 2;
        assert!(["how-to-read.html", MISSING].contains(&path.as_str()) || is_of_table || is_shown, "{path}");
    }
}

/// An anchor on this page, a file of the site, or a file of the repository on its host, and nothing else.
fn assert_address(page: &str, address: &str, site: &Site) {
    if let Some(path) = address.strip_prefix("https://github.com/acme/library/") {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~/%#".contains(c);
        assert!(path.starts_with("blob/") || path.starts_with("commit/"), "{page} links {address}");
        assert!(path.chars().all(is_plain) && !path.split('/').any(|part| part == ".."), "{page} links {address}");
        return;
    }
    let (file, anchor) = address.split_once('#').map_or((address, None), |(file, anchor)| (file, Some(anchor)));
    let folder = page.rsplit_once('/').map_or("", |(folder, _)| folder);
    let (mut folders, mut rest): (Vec<&str>, &str) =
        (folder.split('/').filter(|part| !part.is_empty()).collect(), file);
    while let Some(below) = rest.strip_prefix("../") {
        assert!(folders.pop().is_some(), "{page} leads out: {address}");
        rest = below;
    }
    folders.push(rest);
    let target = if file.is_empty() { page.to_owned() } else { folders.join("/") };
    let content = site.files.get(&target).unwrap_or_else(|| panic!("{page} links {address}"));
    if let Some(anchor) = anchor {
        let text = String::from_utf8_lossy(content);
        assert!(text.contains(&format!(" id=\"{anchor}\"")), "{page} links {address}");
    }
}

#[test]
fn paths_are_made_of_slugs() {
    let (small, large) = (hostile(), hostile_large());
    // A web server looks for its settings under this name.
    let named_by_us = |path: &&String| *path != trueup_portal::hosting::SETTINGS;
    for path in small.files.keys().chain(large.files.keys()).filter(named_by_us) {
        let (stem, kind) = path.rsplit_once('.').unwrap();
        assert!(["html", "css", "js", "svg", "puml"].contains(&kind), "{path}");
        assert!(stem.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_/".contains(c)), "{path}");
        assert!(!path.starts_with('/') && path.matches('/').count() <= 2 && path.len() < 150, "{path}");
    }
}

#[test]
fn nothing_invisible_is_written_anywhere() {
    let hidden = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    for (path, bytes) in hostile().files.iter().chain(&hostile_large().files) {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert_eq!(text.chars().find(|c| hidden(*c)), None, "{path}");
    }
}

#[test]
fn the_search_index_is_data_only() {
    for site in [hostile(), hostile_large()] {
        let script = String::from_utf8(site.files["assets/search-index.js"].clone()).unwrap();
        assert!(!script.contains(['<', '>', '&']));
        let json = script.strip_prefix("(window.trueupIndex ||= []).push(").unwrap().strip_suffix(");\n").unwrap();
        let value: serde_json::Value = serde_json::from_str(json).unwrap();
        assert_eq!(value["parts"], 1);
        let list = |value: &serde_json::Value, at: usize| value[at].as_array().unwrap().clone();
        let (mut tables, mut members, mut migrations) = (0, 0, 0);
        for service in value["services"].as_array().unwrap() {
            let slug = service[2].as_str().unwrap();
            let page = format!("services/{slug}.html");
            for table in list(service, 4) {
                let anchor = table[3].as_str().unwrap();
                let page = if service[3] == 1 { format!("services/{slug}/{anchor}.html") } else { page.clone() };
                let text = String::from_utf8_lossy(&site.files[&page]);
                let both = [list(&table, 1), list(&table, 2)].concat();
                let anchors = both.iter().map(|member| member[1].as_str().unwrap()).chain([anchor]);
                anchors.for_each(|anchor| assert!(text.contains(&format!(" id=\"{anchor}\"")), "{anchor} in {page}"));
                (tables, members) = (tables + 1, members + both.len());
            }
            migrations += list(service, 5).len();
        }
        // Of each three tables two have two columns and an index.
        assert!([9, 6 + LARGE].contains(&tables), "{tables}");
        assert_eq!((members, migrations), (tables * 2, 2));
    }
}

#[test]
fn colours_never_become_css() {
    let style = String::from_utf8(hostile().files["assets/portal.css"].clone()).unwrap();
    assert!(
        style.ends_with("/* Colours of the domains */\n.d0{--domain:#123456}\n"),
        "only three bytes become a colour"
    );
}

#[test]
fn ten_thousand_characters_are_shown_and_drawn_short() {
    let long = "x".repeat(10_000);
    let site = portal(&|_| long.clone());
    let wide: Vec<u32> = pages(&site)
        .iter()
        .flat_map(|(_, page)| {
            let parsed = Html::parse_document(page);
            let svg = Selector::parse("svg.erd").unwrap();
            parsed.select(&svg).filter_map(|svg| svg.value().attr("width")?.parse().ok()).collect::<Vec<u32>>()
        })
        .collect();
    assert!(wide.len() > 3 && wide.iter().all(|width| *width < 4000), "{wide:?}");
    assert!(pages(&site).iter().any(|(_, page)| page.contains(&long)));
}

/// What the YAML itself can carry, read by the real parser.
#[test]
fn hostile_yaml_goes_all_the_way() {
    let yaml = "svc-a:\n  owner: \"<img src=x onerror=alert(1)>\"\n  engine: '<b>PostgreSQL 15</b>'\n  features: ['<script>x</script>', \"\\u202Eabc\"]\n  \
                tables: ['\"<t>\"']\n  table_details:\n    '\"<t>\"':\n      description: '</svg><script>'\n      columns:\n      \
                - {name: '\"a\"\"b<i>\"', type: UUID, constraints: 'PK'}\n";
    let sources = [Source { path: "d.yaml".to_owned(), bytes: yaml.as_bytes().to_vec() }];
    let reading = trueup_intent::read(&sources);
    assert_eq!(reading.declared.services.len(), 1, "{:?}", reading.errors);
    let site = build(&Input {
        declared: &reading.declared,
        files: &["d.yaml".to_owned()],
        written: &reading.written,
        reading: &reading.findings,
        domains: &Domains::default(),
        report: None,
        drawings: None,
        known: Known::default(),
    });
    for (path, page) in pages(&site) {
        let parsed = Html::parse_document(&page);
        for banned in ["img", "b > b", "i", "t"] {
            assert_eq!(parsed.select(&Selector::parse(banned).unwrap()).count(), 0, "{path} has {banned}");
        }
        assert_eq!(parsed.select(&Selector::parse("script").unwrap()).count(), scripts(path), "{path}");
    }
}

/// A real PlantUML takes the sources of hostile names: it finds no error in them, and its preprocessor nothing to do.
#[test]
fn plantuml_reads_names_as_text() {
    let sources: Vec<Vec<u8>> =
        hostile().files.into_iter().filter(|(path, _)| path.ends_with(".puml")).map(|(_, text)| text).collect();
    assert_eq!(sources.len(), 3 + 1, "services, and the map");
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<_> = (0..sources.len()).map(|n| folder.path().join(format!("{n}.puml"))).collect();
    for (file, source) in files.iter().zip(&sources) {
        std::fs::write(file, source).unwrap();
    }
    let plantuml = |flag: &str| Command::new("plantuml").arg(flag).args(&files).output();
    let checked = match plantuml("-checkonly") {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return skipped("there is no plantuml on the PATH; Debian's package has it");
        }
        checked => checked.unwrap(),
    };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    assert!(plantuml("-preproc").unwrap().status.success());
    for (file, source) in files.iter().zip(&sources) {
        let read = std::fs::read_to_string(file.with_extension("preproc")).unwrap();
        assert_eq!(read.trim_end(), String::from_utf8_lossy(source).trim_end());
    }
}

/// The page of a difference in which everything is different, in every way.
fn difference(text: &dyn Fn(usize) -> String) -> Site {
    let texts = Texts { made: Cell::new(0), text };
    let before = Declared { services: vec![service(&texts, true), service(&texts, true)] };
    let mut after = Declared { services: vec![before.services[0].clone(), service(&texts, false)] };
    let changed = &mut after.services[0];
    changed.engine.text = texts.next();
    changed.prose.features.push(texts.next());
    changed.tables[0].description = Some(texts.next());
    let details = changed.tables[0].details.as_mut().unwrap();
    details.columns[0].type_sql = Some(texts.sql());
    details.columns[0].notes = vec![texts.next()];
    details.columns[1] = column(&texts, Target::Missing { text: texts.next() });
    details.indexes[0].predicate = Some(texts.sql());
    changed.tables[1] = table(&texts, vec![Target::Missing { text: texts.next() }]);
    let (old, new) = (Written::default(), Written::default());
    let source = SourceLinks::parse("https://github.com/acme/library", &texts.next(), &texts.next()).unwrap();
    let side = |declared, written| Side { declared, written, source: Some(&source) };
    let base = texts.next();
    let comparison = Comparison { base: &base, before: side(&before, &old), after: side(&after, &new) };
    let difference = Difference::of(&comparison);
    Site::of(|sink| build_into(&comparison, &difference, Some("./"), sink))
}

/// Lines by what they begin with, and how many cells they have.
fn outline(markdown: &str) -> Vec<(String, usize)> {
    let head = |line: &str| line.chars().take_while(|c| "#| -".contains(*c)).collect::<String>();
    markdown.lines().map(|line| (head(line), line.matches(" | ").count())).collect()
}

#[test]
fn hostile_text_changes_nothing_about_a_difference() {
    let markdown = |site: &Site| String::from_utf8(site.files["diff.md"].clone()).unwrap();
    let harmless = difference(&|_| "plain".to_owned());
    assert_eq!(harmless.files.len(), 3 + 2 * 4, "{:?}", harmless.files.keys());
    for shift in 0..PAYLOADS.len() {
        let site = difference(&|n| PAYLOADS[(n + shift) % PAYLOADS.len()].to_owned());
        assert_eq!(by_length(&site), by_length(&harmless), "shift {shift}");
        assert_eq!(outline(&markdown(&site)), outline(&markdown(&harmless)), "shift {shift}");
        let tags = markdown(&site).replace("<code>", "").replace("</code>", "");
        assert!(!tags.contains(['<', '>', '{', '}', '$']), "{tags}");
        for (path, bytes) in &site.files {
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
            assert!(path.chars().all(plain) && !path.contains(".."), "{path}");
            let text = String::from_utf8(bytes.clone()).unwrap();
            for banned in
                ["<script", "<img src=x", "onerror=\"", "=\"javascript:", "<foreignObject", "\u{202e}", "\u{0}"]
            {
                assert!(!text.contains(banned) || path.ends_with(".css"), "{banned} in {path}");
            }
        }
    }
}

/// The same as Markdown, with pages of tables.
fn book(text: &dyn Fn(usize) -> String) -> Site {
    made_of(text, 14, |input| markdown::build(input, Flavour::Mkdocs))
}

/// Outlines of all pages, and the raw HTML that they hold; sorted, for paths differ with the names in them.
fn outlines(site: &Site) -> Vec<(Vec<(String, usize)>, usize)> {
    let pages = site.files.iter().filter(|(path, _)| path.ends_with(".md"));
    let mut all: Vec<_> = pages
        .map(|(_, bytes)| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            (outline(&text), text.matches("<span id=\"").count())
        })
        .collect();
    all.sort();
    all
}

#[test]
fn hostile_text_changes_no_structure_of_the_markdown() {
    let harmless = book(&|_| "plain".to_owned());
    assert_eq!(outlines(&harmless).len(), 6 + 3 + LARGE, "pages of all, of services, of tables");
    for shift in [0, 3, 6, 9, 12] {
        let site = book(&|n| PAYLOADS[(n + shift) % PAYLOADS.len()].to_owned());
        assert_eq!(outlines(&site), outlines(&harmless), "shift {shift}");
        for (path, bytes) in site.files.iter().filter(|(path, _)| path.ends_with(".md")) {
            let text = String::from_utf8(bytes.clone()).unwrap();
            let bare = ["<code>", "</code>", "<strong>", "</strong>", "</span>"]
                .iter()
                .fold(text, |text, tag| text.replace(tag, ""));
            let bare: String =
                bare.split("<span id=\"").map(|part| part.split_once("\">").map_or(part, |(_, rest)| rest)).collect();
            let bare: String = bare.lines().map(|line| line.split(" { #").next().unwrap_or(line)).collect();
            assert!(!bare.contains(['<', '>', '{', '}', '$', '\u{202e}', '\u{0}']), "{path}: {bare}");
        }
    }
}
