//! Privileges that differ from those an object is born with.

use std::collections::BTreeSet;

use trueup_model::canonical::Grant;
use trueup_model::finding::ObjectPath;

use super::row::Privileges;

/// One privilege of one grantee, as compared.
type Held = BTreeSet<(String, &'static str, bool)>;

/// What was added to, and taken from, the privileges an object is born with.
pub(super) fn grants(object: &ObjectPath, privileges: &Privileges) -> Vec<Grant> {
    let Some(acl) = &privileges.acl else { return Vec::new() };
    let owner = privileges.owner.as_deref().unwrap_or_default();
    let has = held(acl, |item| item.grantee == owner);
    // Who was granted by himself at birth was the owner then.
    let born = held(privileges.born_acl.as_deref().unwrap_or_default(), |item| item.grantee == item.grantor);
    let one = |(grantee, privilege, grantable): &(String, &'static str, bool), revoked| Grant {
        object: object.clone(),
        grantee: grantee.as_str().into(),
        privilege: (*privilege).to_owned(),
        grantable: *grantable,
        revoked,
    };
    let added = has.difference(&born).map(|held| one(held, false));
    added.chain(born.difference(&has).map(|held| one(held, true))).collect()
}

fn held(acl: &[String], is_owner: impl Fn(&AclItem) -> bool) -> Held {
    let mut all = Held::new();
    for item in acl.iter().filter_map(|text| AclItem::parse(text)) {
        let grantee = match item.grantee.as_str() {
            "" => "public",
            _ if is_owner(&item) => "<owner>",
            name => name,
        };
        all.extend(item.privileges.iter().map(|&(privilege, grantable)| (grantee.to_owned(), privilege, grantable)));
    }
    all
}

/// An `aclitem`: `grantee=privileges/grantor`, names quoted where they need it, `*` for the grant option.
struct AclItem {
    grantee: String,
    grantor: String,
    privileges: Vec<(&'static str, bool)>,
}

impl AclItem {
    fn parse(text: &str) -> Option<Self> {
        let (grantee, rest) = role_name(text);
        let (letters, grantor) = rest.strip_prefix('=')?.split_once('/')?;
        let mut privileges = Vec::new();
        let mut letters = letters.chars().peekable();
        while let Some(letter) = letters.next() {
            let grantable = letters.next_if_eq(&'*').is_some();
            privileges.push((privilege(letter)?, grantable));
        }
        Some(Self { grantee, grantor: role_name(grantor).0, privileges })
    }
}

/// A role's name at the start of the text, and what follows it.
fn role_name(text: &str) -> (String, &str) {
    let mut name = String::new();
    let mut quoted = false;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' if quoted && characters.next_if(|(_, next)| *next == '"').is_some() => name.push('"'),
            '"' => quoted = !quoted,
            '=' if !quoted => return (name, &text[at..]),
            other => name.push(other),
        }
    }
    (name, "")
}

/// The letters of `aclitem`, from PostgreSQL's documentation of privileges.
fn privilege(letter: char) -> Option<&'static str> {
    Some(match letter {
        'r' => "SELECT",
        'a' => "INSERT",
        'w' => "UPDATE",
        'd' => "DELETE",
        'D' => "TRUNCATE",
        'x' => "REFERENCES",
        't' => "TRIGGER",
        'm' => "MAINTAIN",
        'X' => "EXECUTE",
        'U' => "USAGE",
        'C' => "CREATE",
        'c' => "CONNECT",
        'T' => "TEMPORARY",
        's' => "SET",
        'A' => "ALTER SYSTEM",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use trueup_model::finding::ObjectPath;

    use super::*;

    fn changed(acl: &[&str], born: &[&str]) -> Vec<String> {
        let list = |items: &[&str]| Some(items.iter().map(|&item| item.to_owned()).collect());
        let privileges = Privileges { acl: list(acl), born_acl: list(born), owner: Some("me".to_owned()) };
        grants(&ObjectPath::service(), &privileges)
            .iter()
            .map(|grant| {
                format!(
                    "{}{} {} {}",
                    if grant.revoked { "-" } else { "+" },
                    grant.grantee,
                    grant.privilege,
                    grant.grantable
                )
            })
            .collect()
    }

    #[test]
    fn differences_from_birth_in_both_directions() {
        assert_eq!(
            changed(&["me=UC/me", "=U/me", "\"a=\"\"b\"=U*C/me"], &["boot=UC/boot", "=UC/boot"]),
            ["+a=\"b CREATE false", "+a=\"b USAGE true", "-public CREATE false"]
        );
        assert!(changed(&["me=X/me", "=X/me"], &["me=X/me", "=X/me"]).is_empty());
        assert_eq!(changed(&[], &["me=r/me"]), ["-<owner> SELECT false"]);
    }
}
