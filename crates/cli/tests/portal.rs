//! `trueup portal` as its users meet it: the real binary on repositories in temporary folders, without a database.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use trueup_cli::check::{digest, inputs};
use trueup_cli::settings::Settings;

const YAML: &str = "architecture/metadata/data-stores.yaml";
const DOMAINS: &str = "architecture/metadata/domains.yaml";

const INTENT: &str = "\
svc-loans:
  engine: PostgreSQL 15
  schema: loans
  features: [Overdue loans are listed every night]
  tables: [loans, archive]
  table_details:
    loans:
      description: A copy that left the building
      columns:
      - {name: loan_id, type: UUID, constraints: PK}
      - {name: member_id, type: UUID, constraints: 'NOT NULL, FK -> svc-members'}
      indexes:
      - {name: idx_loans_member, columns: member_id}
svc-members:
  engine: PostgreSQL 15
  schema: members
  tables: [members]
svc-events:
  engine: Couchbase 7
  tables: [events]
";

/// A repository on disk, removed when dropped.
struct Project(tempfile::TempDir);

/// Exit code and standard output.
type Run = (i32, String);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write(YAML, INTENT);
        project.write(DOMAINS, "Lending:\n  color: '#2563eb'\n  services: [svc-loans]\n");
        project
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.0.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.0.path().join(path)).unwrap()
    }

    fn has(&self, path: &str) -> bool {
        self.0.path().join(path).exists()
    }

    fn trueup(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        command.current_dir(self.0.path()).env("TRUEUP_CACHE", self.0.path().join(".cache")).env_remove("NO_COLOR");
        let output = command.args(arguments).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), text)
    }

    /// Every file below the folder of the pages, with when it was written.
    fn files(&self) -> Vec<(String, std::time::SystemTime)> {
        let mut files = Vec::new();
        list(&self.0.path().join("portal"), "", &mut files);
        files.sort();
        files
    }
}

fn list(folder: &Path, prefix: &str, files: &mut Vec<(String, std::time::SystemTime)>) {
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type().unwrap().is_dir() {
            list(&entry.path(), &format!("{name}/"), files);
        } else {
            files.push((name, entry.metadata().unwrap().modified().unwrap()));
        }
    }
}

fn words(page: &str, selector: &str) -> Vec<String> {
    let page = scraper::Html::parse_document(&page.replace("<wbr>", ""));
    let selector = scraper::Selector::parse(selector).unwrap();
    let texts = page.select(&selector).map(|element| element.text().collect::<Vec<_>>().join(" "));
    texts.map(|text| text.split_whitespace().collect::<Vec<_>>().join(" ")).collect()
}

/// A report in the published contract.
fn report(services: &Value, findings: &Value) -> String {
    let value = json!({
        "version": 1,
        "engine": {"kind": "native", "version": "15.18", "major": 15, "chosen": "asked for"},
        "scope": null, "baseline": null, "elapsed_ms": 1,
        "summary": {
            "exit_code": 1, "findings": 1, "unknown": 0, "accepted": 0, "accepted_unknown": 0, "resolved": 0, "errors": 0,
            "switched_off": 0, "by_rule": {}, "by_severity": {}, "by_state": {}, "services": {},
        },
        "services": services, "errors": [], "notes": [], "findings": findings, "accepted": [], "resolved": [],
    });
    let schema: Value = serde_json::from_str(include_str!("../../../docs/reference/report.schema.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<_> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
    assert_eq!(problems, Vec::<String>::new());
    value.to_string()
}

/// What a report says of a service, made from the present files.
fn service(project: &Project, name: &str, status: &str) -> Value {
    let inputs = inputs::gather(project.0.path(), &Settings::default());
    json!({
        "name": name, "status": status, "engine": "PostgreSQL 15", "reason": null, "findings": 0, "accepted": 0,
        "compared": {"tables": 1, "columns": 1, "indexes": 1}, "elapsed_ms": 1, "cached": false,
        "inputs": digest::of_all(&inputs.services, |_| true)[name],
    })
}

fn missing_index() -> Value {
    json!({
        "rule": "missing-index", "severity": "warning", "service": "svc-loans", "object": "loans.loans.idx_loans_member",
        "state": "unmigrated", "kind": "index", "path": ["loans", "loans", "idx_loans_member"],
        "fingerprint": "0".repeat(32), "message": "no migration creates it", "help": "write one", "declared": "", "found": "",
        "locations": [{"side": "intent", "file": YAML, "line": 13, "column": 16}], "fix": {"sql": "CREATE INDEX x"},
    })
}

#[test]
fn the_pages_follow_the_intent() {
    let project = Project::new();
    let (code, text) = project.trueup(&["portal", "build"]);
    assert_eq!(
        (code, text.contains("3 services with 4 tables in portal: 22 files (22 written, 0 removed)")),
        (0, true),
        "{text}"
    );
    assert!(text.contains("not verified"), "{text}");
    assert_eq!(project.trueup(&["portal", "check"]).0, 0);

    // Nothing changed: nothing is written.
    let before = project.files();
    assert_eq!(project.trueup(&["portal", "build"]).0, 0);
    assert_eq!(project.files(), before);

    // One service changes, one goes.
    let edited = INTENT.replace("schema: loans", "schema: lending");
    let edited = &edited[..edited.find("svc-events").unwrap()];
    project.write(YAML, edited);
    let (code, text) = project.trueup(&["portal", "check"]);
    assert_eq!(code, 1, "{text}");
    for line in ["differs   services/svc-loans.html", "differs   index.html", "left over services/svc-events.html"] {
        assert!(text.contains(line), "{line} is not in {text}");
    }
    assert!(!text.contains("svc-members.html"), "{text}");
    assert_eq!(project.files(), before, "a check writes nothing");
    let (code, text) = project.trueup(&["portal", "build"]);
    assert_eq!((code, text.contains("(6 written, 3 removed)")), (0, true), "{text}");
    assert!(!project.has("portal/services/svc-events.html"));
    let unchanged: Vec<_> =
        project.files().into_iter().filter(|file| before.contains(file)).map(|file| file.0).collect();
    let common =
        ["404.html", "assets/portal.css", "assets/portal.js", "changes.html", "findings.html", "how-to-read.html"];
    let pictures = ["migrations.html", "services/svc-loans.puml", "services/svc-loans.svg"];
    let members = ["html", "puml", "svg"].map(|ending| format!("services/svc-members.{ending}"));
    let members = members.each_ref().map(String::as_str);
    assert_eq!(unchanged, [&common[..], &pictures, &members, &["staticwebapp.config.json"]].concat());
    assert_eq!(project.trueup(&["portal", "check"]).0, 0);
}

#[test]
fn pages_say_what_a_report_says_and_not_more() {
    let project = Project::new();
    assert_eq!(project.trueup(&["portal", "build"]).0, 0);
    let badges = |project: &Project| words(&project.read("portal/index.html"), ".card .badge");
    assert_eq!(badges(&project), ["○ not verified", "○ not verified", "– not checked"]);

    project
        .write("report.json", &report(&json!([service(&project, "svc-loans", "checked")]), &json!([missing_index()])));
    let (code, text) = project.trueup(&["portal", "build", "--report", "report.json"]);
    assert_eq!((code, text.contains("not verified")), (0, false), "{text}");
    assert_eq!(badges(&project), ["✗ 1 finding", "○ not verified", "– not checked"]);
    let page = project.read("portal/services/svc-loans.html");
    assert_eq!(words(&page, "#t-loans--i-idx_loans_member a.flag"), ["missing-index"]);
    assert!(words(&page, "#findings tbody tr")[0].contains("no migration creates it write one CREATE INDEX x"));
    assert!(words(&project.read("portal/findings.html"), "tbody tr")[0].contains("missing-index"));
    assert!(words(&project.read("portal/index.html"), ".banner")[0].contains("PostgreSQL 15.18"));
    assert_eq!(project.trueup(&["portal", "check"]).0, 1, "without the report these are other pages");
    assert_eq!(project.trueup(&["portal", "check", "--report", "report.json"]).0, 0);

    let all = [("svc-loans", "checked"), ("svc-members", "unknown"), ("svc-events", "checked")];
    let all = all.map(|(name, status)| service(&project, name, status));
    project.write("report.json", &report(&json!(all), &json!([])));
    assert_eq!(project.trueup(&["portal", "build", "--report", "report.json"]).0, 0);
    assert_eq!(badges(&project), ["✓ agrees", "? unknown", "– not checked"], "Couchbase never agrees");

    // What an earlier version reported says nothing about what it compared.
    let earlier = all.map(|mut service| {
        service.as_object_mut().unwrap().remove("inputs");
        service
    });
    project.write("report.json", &report(&json!(earlier), &json!([])));
    let (code, text) = project.trueup(&["portal", "build", "--report", "report.json"]);
    assert_eq!((code, text.contains("the report is of an earlier trueup")), (0, true), "{text}");
    assert_eq!(badges(&project), ["? unknown", "? unknown", "– not checked"]);
}

#[test]
fn a_file_that_is_no_report_is_refused() {
    let project = Project::new();
    project.write("report.json", "{\"version\": 7}");
    for (file, why) in [("report.json", "its version is 7"), ("none.json", "cannot be read")] {
        let (code, text) = project.trueup(&["portal", "build", "--report", file]);
        assert_eq!((code, text.contains(why)), (2, true), "{text}");
    }
    assert!(!project.has("portal"));
}

/// What follows the sum, which names the time.
fn errors(run: &Run) -> Vec<&str> {
    run.1.lines().skip_while(|line| !line.is_empty()).collect()
}

#[test]
fn errors_of_the_intent_are_those_of_check_and_nothing_is_written() {
    let project = Project::new();
    assert_eq!(project.trueup(&["portal", "build"]).0, 0);
    let before = project.files();
    project.write(
        YAML,
        &INTENT.replace("tables: [loans, archive]", "tables: 7").replace("svc-members:\n", "svc-loans:\n"),
    );
    let check = project.trueup(&["check"]);
    for verb in ["build", "check"] {
        let run = project.trueup(&["portal", verb]);
        assert_eq!((run.0, check.0), (2, 2));
        assert_eq!(errors(&run), errors(&check));
        assert!(run.1.contains("stands twice"), "{run:?}");
    }
    assert_eq!(project.files(), before);

    project.write(YAML, INTENT);
    project.write(DOMAINS, "Lending: [\n");
    let (code, text) = project.trueup(&["portal", "build"]);
    assert_eq!((code, text.contains(DOMAINS)), (2, true), "{text}");
    assert_eq!(project.files(), before);
}

#[test]
fn a_portal_speaks_of_itself_and_not_of_a_check() {
    let project = Project::new();
    project.write(YAML, &INTENT.replace("svc-members:\n", "svc-loans:\n"));
    for (arguments, headline) in [
        (&["portal", "build"][..], "✗ 1 input error: no page was written\n"),
        (&["portal", "check"], "✗ 1 input error: no page was compared\n"),
    ] {
        let (code, text) = project.trueup(arguments);
        assert!(code == 2 && text.starts_with(headline) && !text.contains("PostgreSQL"), "{text}");
    }
    project.write(YAML, INTENT);
    for (more, command) in [
        (&["--out", "docs/data"][..], "run `trueup portal build --out docs/data`\n"),
        (
            &["--format", "mkdocs", "--main", "main"],
            "run `trueup portal build --format mkdocs` with the other options that were given here\n",
        ),
    ] {
        let (code, text) = project.trueup(&[&["portal", "check"], more].concat());
        assert_eq!((code, text.contains(command)), (1, true), "{text}");
    }
    project.write(YAML, "# nothing yet\n");
    let (code, text) = project.trueup(&["portal", "build"]);
    assert_eq!(
        (code, text.contains("no service is declared: expected the name of each as a key")),
        (0, true),
        "{text}"
    );
    assert!(words(&project.read("portal/index.html"), ".quiet")[0].starts_with("No service is declared."));
}

#[test]
fn what_the_yaml_does_not_make_clear_is_said_on_the_first_page() {
    let project = Project::new();
    project.write(YAML, &INTENT.replace("constraints: PK", "constraints: PK and more"));
    project.write(DOMAINS, "Lending:\n  services: [svc-loan]\n");
    let (code, text) = project.trueup(&["portal", "build"]);
    assert!(code == 0 && text.contains("in the YAML alone: see the page of findings, or run `trueup check`"), "{text}");
    let stranger =
        "domains.yaml:2:14: `svc-loan` is no service of the intent, and is not shown; did you mean `svc-loans`?";
    assert!(text.contains(stranger), "{text}");
    let home = project.read("portal/index.html");
    assert!(words(&home, ".banner")[0].contains("Reading the YAML alone gave"), "{:?}", words(&home, ".banner"));
    assert!(words(&home, "main li").iter().any(|item| item.contains("did you mean `svc-loans`?")));
}

#[test]
fn folders_of_others_are_left_alone() {
    let project = Project::new();
    project.write("portal/index.html", "mine");
    let (code, text) = project.trueup(&["portal", "build"]);
    assert_eq!((code, text.contains("no portal was built there")), (2, true), "{text}");
    assert_eq!(project.trueup(&["portal", "build", "--out", "."]).0, 2);
    assert_eq!(project.trueup(&["portal", "build", "--out", YAML]).0, 2);
    assert_eq!(project.read("portal/index.html"), "mine");
    assert_eq!(project.files().len(), 1);
}

#[test]
fn colours_and_domains_that_are_wrong_are_named() {
    let project = Project::new();
    project
        .write(DOMAINS, "A:\n  color: 'red;}*{}'\n  services: [svc-loans]\nB:\n  services: [svc-loans, svc-members]\n");
    let (code, text) = project.trueup(&["portal", "build"]);
    assert_eq!(code, 0);
    for part in ["domains.yaml:2:10: the colour of `A`", "domains.yaml:5:14: `svc-loans` is already in the domain `A`"]
    {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    assert!(!project.read("portal/assets/portal.css").contains("*{}"));
    let groups = words(&project.read("portal/index.html"), ".domain h2");
    assert_eq!(groups, ["A 1", "B 1", "In no domain 1"]);
}

const OWN_PAGE: &str = "docs/services/own.md";

/// Arguments after `portal build` or `portal check` for sections in the page.
const IN_PLACE: [&str; 6] = ["--format", "sections", "--out", "docs/data stores", "--page", OWN_PAGE];

/// Runs a command with the page's arguments.
fn in_place(project: &Project, command: &str) -> Run {
    project.trueup(&[&["portal", command], &IN_PLACE[..]].concat())
}

#[test]
fn sections_go_into_pages_of_a_team_and_nothing_else_changes() {
    let project = Project::new();
    let before = "\u{feff}# Mine\r\n\r\n  <!-- trueup:data-store svc-loans -->\r\nold\r\n<!-- /trueup -->\r\n\r\n* kept  \r\n\
                  <!-- trueup:data-store svc-events -->\r\n<!-- /trueup -->\r\nno end";
    project.write(OWN_PAGE, before);
    assert_eq!(in_place(&project, "check").0, 1);
    assert_eq!(project.read(OWN_PAGE), before, "a check writes nothing");
    let (code, said) = in_place(&project, "build");
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 page of your own (1 changed)"), "{said}");
    let after = project.read(OWN_PAGE);
    assert!(
        after.starts_with("\u{feff}# Mine\r\n\r\n  <!-- trueup:data-store svc-loans -->\r\n\r\n## Data store"),
        "{after}"
    );
    assert!(
        after.contains("\r\n<!-- /trueup -->\r\n\r\n* kept  \r\n<!-- trueup:data-store svc-events -->\r\n"),
        "{after}"
    );
    assert!(after.ends_with("\r\n<!-- /trueup -->\r\nno end"), "{after}");
    assert!(!after.replace("\r\n", "").contains('\n'), "every line end is the page's own");
    // Two services in one page: no anchor twice. The picture is where the address leads.
    assert!(after.contains("{ #svc-loans--data-store }") && after.contains("{ #svc-events--data-store }"), "{after}");
    assert!(after.contains("](../data%20stores/svc-loans.svg)"), "{after}");
    assert!(project.has("docs/data stores/svc-loans.svg") && !project.has("docs/data stores/svc-loans.md"));
    assert_eq!(in_place(&project, "check").0, 0);

    project.write(YAML, &INTENT.replace("A copy that left the building", "A copy that is away"));
    let (code, said) = in_place(&project, "check");
    assert_eq!(code, 1, "{said}");
    assert!(said.contains(&format!("differs   {OWN_PAGE}")), "{said}");
}

#[test]
fn a_page_that_cannot_take_its_sections_is_named_with_its_line_and_nothing_is_written() {
    let project = Project::new();
    let wrong = "a\n<!-- trueup:data-store svc-loans -->\n<!-- trueup:data-store svc-nobody -->\n<!-- /trueup -->\n<!-- /trueup -->\n";
    project.write(OWN_PAGE, wrong);
    let (code, said) = project.trueup(&[&["portal", "build"], &IN_PLACE[..], &["--page", "docs/absent.md"]].concat());
    assert_eq!(code, 2, "{said}");
    for expected in [
        "docs/services/own.md:2:1",
        "the place of `svc-loans` has no end",
        "docs/services/own.md:5:1",
        "ends nothing",
        "docs/absent.md",
        "the page is not there",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(project.read(OWN_PAGE), wrong);
    assert!(!project.has("docs/data stores"));
    let (code, said) = project.trueup(&["portal", "build", "--page", OWN_PAGE]);
    assert!(code == 2 && said.contains("add --format sections"), "{said}");
    let (code, said) = project.trueup(&["portal", "build", "--format", "sections", "--pictures", "x) <b>"]);
    assert!(code == 2 && said.contains("with a slash at the end"), "{said}");
}

#[test]
fn sections_are_files_to_include_and_markdown_is_checked_like_pages() {
    let project = Project::new();
    let sections = ["--format", "sections", "--out", "parts", "--pictures", "../parts/"];
    assert_eq!(project.trueup(&[&["portal", "build"], &sections[..]].concat()).0, 0);
    let section = project.read("parts/svc-loans.md");
    assert!(section.starts_with("## Data store { #data-store }\n"), "{section}");
    assert!(section.contains("](../parts/svc-loans.svg)") && section.contains("idx_loans_member"), "{section}");
    for format in ["mkdocs", "techdocs"] {
        let arguments = ["--format", format, "--out", format];
        assert_eq!(project.trueup(&[&["portal", "build"], &arguments[..]].concat()).0, 0);
        assert_eq!(project.trueup(&[&["portal", "check"], &arguments[..]].concat()).0, 0);
        project.write(&format!("{format}/docs/services/svc-loans.md"), "changed");
        let (code, said) = project.trueup(&[&["portal", "check"], &arguments[..]].concat());
        assert!(code == 1 && said.contains("differs   docs/services/svc-loans.md"), "{said}");
        let (code, said) = project.trueup(&[&["portal", "build"], &arguments[..]].concat());
        assert!(code == 0 && said.contains("(1 written, 0 removed)"), "{said}");
    }
    assert!(project.read("techdocs/mkdocs.yml").contains("techdocs-core"));
}

#[test]
fn the_pages_are_called_what_somebody_calls_them() {
    let project = Project::new();
    project.write("trueup.toml", "[portal]\ntitle = \"Library & {{ more }}\"\n");
    assert_eq!(project.trueup(&["portal", "build"]).0, 0);
    let home = project.read("portal/index.html");
    assert_eq!(words(&home, "h1"), ["Library & {{ more }}"]);
    assert_eq!(words(&home, "head title"), ["Services · Library & {{ more }}"]);
    assert_eq!(project.trueup(&["portal", "build", "--format", "mkdocs", "--out", "book"]).0, 0);
    let settings = project.read("book/mkdocs.yml");
    assert!(settings.contains("\nsite_name: \"Library &#38; &#123;&#123; more &#125;&#125;\"\n"), "{settings}");
    assert!(
        project.read("book/docs/index.md").starts_with("# Library &#38;"),
        "{}",
        project.read("book/docs/index.md")
    );
}

#[test]
fn a_service_says_who_references_it() {
    let project = Project::new();
    let more = INTENT.replace(
        "- {name: member_id,",
        "- {name: guest_id, type: UUID, constraints: FK -> svc-members}\n      - {name: member_id,",
    );
    project.write(YAML, &more);
    assert_eq!(project.trueup(&["portal", "build"]).0, 0);
    let row = |service: &str| {
        let rows = words(&project.read(&format!("portal/services/{service}.html")), ".facts tr");
        rows.into_iter().find(|row| row.starts_with("Referenced by"))
    };
    assert_eq!(row("svc-members").as_deref(), Some("Referenced by svc-loans (2 columns)"));
    assert_eq!(row("svc-loans"), None);
    assert_eq!(project.trueup(&["portal", "build", "--format", "mkdocs", "--out", "book"]).0, 0);
    let book = project.read("book/docs/services/svc-members.md");
    assert!(
        book.contains("Referenced by</strong> | [svc-loans](../services/svc-loans.md) (2 columns&#41; |"),
        "{book}"
    );
}
