//! A project with a script planted in every text field.

use serde_json::{Value, json};

/// What sets `window.pwned` if it is ever run, in every way that HTML, SVG, Markdown and templates know.
pub(crate) const PAYLOADS: &[&str] = &[
    "<script>window.pwned=1</script>",
    "\"><img src=x onerror=window.pwned=1>",
    "' onmouseover='window.pwned=1' onfocus='window.pwned=1",
    "</title></svg></script></table><svg onload=window.pwned=1>",
    "javascript:window.pwned=1",
    "[x](javascript:window.pwned=1)",
    "![x](x){ onerror=window.pwned=1 }",
    "</text><foreignObject><iframe srcdoc='<script>parent.pwned=1</script>'>",
    "]]><!-- --><style>*{display:none}</style>",
    "{{ 7*7 }}{% raw %}<script>window.pwned=1</script>{% endraw %}",
    "| a | `b` | ```\n\n# heading\n\n<script>window.pwned=1</script>",
    "../../../etc/passwd",
    "\u{202e}gnp.exe\u{2066}\u{200f}",
    "<a href=javascript:window.pwned=1>x</a> { onclick=window.pwned=1 }",
    "--8<-- \"/etc/passwd\"",
    "<!-- /trueup -->",
];

/// Texts, one payload after the other, each of them unlike every other.
#[derive(Default)]
struct Texts {
    made: usize,
}

impl Texts {
    fn next(&mut self) -> String {
        self.made += 1;
        format!("{} ~{}", PAYLOADS[self.made % PAYLOADS.len()], self.made)
    }

    /// A name in double quotes, as SQL has them: the only way in for these.
    fn name(&mut self) -> String {
        let text: String = self.next().chars().filter(|c| !c.is_control()).collect();
        format!("\"{}\"", text.replace('"', "\"\""))
    }
}

/// The intent: JSON is YAML too.
pub(crate) fn intent() -> String {
    let mut texts = Texts::default();
    let mut services = serde_json::Map::new();
    for turn in 0..4 {
        // The intent takes no other characters in the name of a service.
        services.insert(service_name(turn), service(&mut texts, turn));
    }
    Value::Object(services).to_string()
}

fn service_name(turn: usize) -> String {
    format!("Svc_{turn}.--con")
}

fn service(texts: &mut Texts, turn: usize) -> Value {
    let tables: Vec<String> = (0..3).map(|_| texts.name()).collect();
    let mut details = serde_json::Map::new();
    for table in &tables[..2] {
        details.insert(table.clone(), table_details(texts, &tables[0]));
    }
    let long = format!("{}{}", texts.next(), "x".repeat(10_000));
    json!({
        "engine": if turn == 0 { texts.next() } else { format!("PostgreSQL 15 {}", texts.next()) },
        "schema": texts.name(),
        "owner": texts.next(),
        "features": (0..PAYLOADS.len()).map(|_| texts.next()).chain([long]).collect::<Vec<_>>(),
        "estimated_volume": texts.next(),
        "volume": texts.next(),
        "backup": texts.next(),
        "connection_pool": {"min": texts.next(), "idle": texts.next()},
        "tables": tables,
        "table_details": details,
    })
}

fn table_details(texts: &mut Texts, other: &str) -> Value {
    let columns: Vec<(String, String)> = (0..6).map(|_| (texts.name(), texts.next())).collect();
    let constraint = |position: usize, texts: &mut Texts| match position {
        0 => "PK".to_owned(),
        1 => format!("NOT NULL, FK -> {other}"),
        2 => format!("NULL ({})", texts.next()),
        3 => format!("NOT NULL, DEFAULT '{}'", texts.next().replace('\'', "''")),
        _ => format!("CHECK ({}), {}", texts.next(), texts.next()),
    };
    let listed: Vec<Value> = columns
        .iter()
        .enumerate()
        .map(|(position, (name, kind))| {
            let kind = if position == 0 { "UUID" } else { kind };
            json!({"name": name, "type": kind, "constraints": constraint(position, texts)})
        })
        .collect();
    json!({
        "description": texts.next(),
        "columns": listed,
        "indexes": [{"name": texts.name(), "columns": [columns[1].0], "type": texts.next()}],
    })
}

/// Domains with hostile names and colours.
pub(crate) fn domains() -> String {
    let mut texts = Texts::default();
    let first = service_name(0);
    let mut domains = serde_json::Map::new();
    domains.insert(texts.next(), json!({"color": "#2563eb", "icon": texts.next(), "services": [first]}));
    domains.insert(texts.next(), json!({"color": texts.next(), "light": texts.next(), "services": []}));
    Value::Object(domains).to_string()
}

/// A report in which every sentence is hostile.
pub(crate) fn report() -> String {
    let mut texts = Texts::default();
    let service = service_name(0);
    let mut finding = |rule: &str| {
        json!({
            "rule": rule, "severity": "error", "service": service, "object": texts.next(), "state": "unmigrated", "kind": "column",
            "path": [texts.next(), texts.next(), texts.next()], "fingerprint": "0".repeat(32), "message": texts.next(),
            "help": texts.next(), "declared": texts.next(), "found": texts.next(),
            "locations": [{"side": "intent", "file": texts.next(), "line": 1, "column": 1}], "fix": {"sql": texts.next()},
        })
    };
    let findings = vec![finding("column-type"), finding("missing-column")];
    let status = json!({
        "name": service, "status": "checked", "engine": texts.next(), "reason": null, "findings": 2, "accepted": 0,
        "compared": {"tables": 1, "columns": 1, "indexes": 1}, "elapsed_ms": 1, "cached": false,
    });
    json!({
        "version": 1,
        "engine": {"kind": "native", "version": texts.next(), "major": 15, "chosen": texts.next()},
        "scope": null, "baseline": null, "elapsed_ms": 1,
        "summary": {
            "exit_code": 1, "findings": 2, "unknown": 0, "accepted": 0, "accepted_unknown": 0, "resolved": 0, "errors": 0,
            "switched_off": 0, "by_rule": {}, "by_severity": {}, "by_state": {}, "services": {},
        },
        "services": [status], "errors": [], "notes": [], "findings": findings, "accepted": [], "resolved": [],
    })
    .to_string()
}
