//! Spring's `application.yml`, flattened.
#![allow(clippy::unwrap_used, reason = "tests fail by panicking")]

use trueup_intent::properties::flatten;

fn flat(text: &str) -> Vec<Vec<(String, String, String)>> {
    let documents = flatten("application.yml", text.as_bytes()).unwrap();
    let row = |(key, value): (&String, &trueup_model::location::Located<String>)| {
        (key.clone(), value.value.clone(), format!("{}:{}", value.at.line, value.at.column))
    };
    documents.iter().map(|document| document.values.iter().map(row).collect()).collect()
}

fn row(key: &str, value: &str, at: &str) -> (String, String, String) {
    (key.to_owned(), value.to_owned(), at.to_owned())
}

#[test]
fn nested_and_dotted_keys_and_lists() {
    let text = "spring:\n  flyway:\n    enabled: true\n    locations: [a, b]\n    placeholders:\n      \"[x.y]\": 010\n    schemas:\nspring.flyway.table: history\n---\nspring.config.activate.on-profile: test\n";
    let documents = flat(text);
    assert_eq!(
        documents[0],
        [
            row("spring.flyway.enabled", "true", "3:14"),
            row("spring.flyway.locations[0]", "a", "4:17"),
            row("spring.flyway.locations[1]", "b", "4:20"),
            row("spring.flyway.placeholders[x.y]", "010", "6:16"),
            row("spring.flyway.schemas", "", "7:12"),
            row("spring.flyway.table", "history", "8:22"),
        ]
    );
    assert_eq!(documents[1], [row("spring.config.activate.on-profile", "test", "10:36")]);
}

#[test]
fn one_property_set_twice_is_refused() {
    for text in ["a.b: 1\na:\n  b: 2\n", "a: 1\na: 2\n"] {
        let errors = flatten("application.yml", text.as_bytes()).unwrap_err();
        assert_eq!(errors.len(), 1, "{text}");
    }
    assert!(flatten("application.yml", b"a: [1\n").is_err());
    assert_eq!(flatten("application.yml", b"").unwrap(), []);
}
