//! `trueup portal --erd plantuml` with a real PlantUML: the real binary, on repositories in temporary folders.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod served;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use scraper::{Html, Selector};
use served::Served;
use trueup_testkit::{plantuml, skipped};

const YAML: &str = "architecture/metadata/data-stores.yaml";

/// Two services with tables, one of which is called like an error and like an instruction, and one without any.
const INTENT: &str = "\
svc-loans:
  engine: PostgreSQL 15
  tables: [loans, '\"Syntax Error?\"', '\"!include /etc/passwd\"']
  table_details:
    loans:
      columns:
      - {name: loan_id, type: UUID, constraints: PK}
      - {name: member_id, type: UUID, constraints: 'NOT NULL, FK -> svc-members'}
    '\"Syntax Error?\"':
      columns:
      - {name: '\"Cannot find Graphviz\"', type: UUID, constraints: 'FK -> loans'}
svc-members:
  engine: PostgreSQL 15
  tables: ['\"@enduml<b>\"']
svc-empty:
  engine: PostgreSQL 15
";

/// A repository on disk, removed when dropped.
struct Project(tempfile::TempDir);

impl Project {
    fn new() -> Self {
        let project = Self(tempfile::tempdir().unwrap());
        project.write(YAML, INTENT);
        project
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        std::fs::create_dir_all(self.path(path).parent().unwrap()).unwrap();
        std::fs::write(self.path(path), text).unwrap();
    }

    fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap()
    }

    /// Runs `trueup portal` with PlantUML; exit code and everything that was printed.
    fn portal(&self, arguments: &[&str]) -> (i32, String) {
        self.portal_with(arguments, &[])
    }

    fn portal_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> (i32, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
        command.current_dir(self.0.path()).env_remove("NO_COLOR").envs(environment.iter().copied());
        let output = command.arg("portal").args(arguments).args(["--erd", "plantuml"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        (output.status.code().unwrap(), text)
    }

    /// A program of its own.
    fn program(&self, name: &str, text: &str) {
        self.write(name, &format!("#!/bin/sh\n{text}\n"));
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }
}

/// Whether a part is missing, which is said.
fn is_missing() -> bool {
    plantuml::missing().inspect(|why| skipped(why)).is_some()
}

/// The words of a picture, each text by itself.
fn words(svg: &str) -> Vec<String> {
    let document = roxmltree::Document::parse(svg).unwrap();
    let texts = document.descendants().filter(|node| node.has_tag_name(("http://www.w3.org/2000/svg", "text")));
    texts.map(|text| text.text().unwrap_or_default().trim().to_owned()).collect()
}

fn assert_harmless(svg: &str) {
    let document = roxmltree::Document::parse(svg).unwrap();
    for node in document.descendants() {
        assert!(!node.is_comment(), "{svg}");
        let known = ["svg", "title", "desc", "g", "rect", "text", "line", "path", "polygon", "ellipse", "circle"];
        assert!(!node.is_element() || known.contains(&node.tag_name().name()), "{node:?}");
        for attribute in node.attributes() {
            let (name, value) = (attribute.name(), attribute.value());
            assert!(
                name != "style" && !name.starts_with("on") && !name.ends_with("href") && !value.contains("url"),
                "{name}={value}"
            );
        }
    }
}

#[test]
fn a_site_shows_the_pictures_and_an_equal_build_changes_nothing() {
    if is_missing() {
        return;
    }
    let project = Project::new();
    let (code, said) = project.portal(&["build"]);
    assert_eq!(code, 0, "{said}");
    let loans = project.read("portal/services/svc-loans.svg");
    let shown = words(&loans);
    for text in ["svc-loans", "loans", "Syntax Error?", "!include /etc/passwd", "«service»", "svc-members"] {
        assert!(shown.iter().any(|shown| shown == text), "{text}: {shown:?}");
    }
    assert!(shown.iter().any(|shown| shown.starts_with("Cannot find Graphviz : UUID")), "{shown:?}");
    assert!(words(&project.read("portal/services/svc-members.svg")).contains(&"@enduml<b>".to_owned()));
    let map = words(&project.read("portal/map.svg"));
    assert!(map.contains(&"svc-empty".to_owned()) && map.contains(&"3 tables".to_owned()), "{map:?}");
    for file in ["services/svc-loans.svg", "services/svc-members.svg", "map.svg"] {
        assert_harmless(&project.read(&format!("portal/{file}")));
    }
    for (page, svg) in [("services/svc-loans", "svc-loans.svg"), ("map", "map.svg")] {
        let html = Html::parse_document(&project.read(&format!("portal/{page}.html")));
        let image = html.select(&Selector::parse(".diagram > img").unwrap()).next().unwrap().value();
        assert_eq!(image.attr("src"), Some(svg));
        let about = image.attr("alt").unwrap();
        assert!(about.contains("listed as text below") && about.contains(": "), "{about}");
        let file = project.read(&format!("portal/{page}.svg"));
        for side in ["width", "height"] {
            assert!(file.contains(&format!(" {side}=\"{}\"", image.attr(side).unwrap())), "{page}");
        }
        assert_eq!(html.select(&Selector::parse(".diagram svg").unwrap()).count(), 0, "{page}");
    }
    // PlantUML gives the same bytes again, and nothing that names the machine or the time.
    let (code, said) = project.portal(&["check"]);
    assert_eq!(code, 0, "{said}");
    project.write("portal/services/svc-members.svg", "<svg/>");
    let (code, said) = project.portal(&["check"]);
    assert!(code == 1 && said.contains("differs   services/svc-members.svg"), "{said}");
}

#[test]
fn markdown_has_the_pictures_and_the_settings_may_ask_for_them() {
    if is_missing() {
        return;
    }
    let project = Project::new();
    for (format, file) in [("mkdocs", "docs/services/svc-loans"), ("sections", "svc-loans")] {
        let (code, said) = project.portal(&["build", "--format", format, "--out", format]);
        assert_eq!(code, 0, "{said}");
        assert!(words(&project.read(&format!("{format}/{file}.svg"))).contains(&"Syntax Error?".to_owned()));
        assert!(project.read(&format!("{format}/{file}.md")).contains("](svc-loans.svg)"));
    }
    // The same from the file, with a program of the repository.
    project.program("tools/draw", "touch \"$DRAWN\"; exec plantuml \"$@\"");
    project.write("trueup.toml", "[portal]\nerd = 'plantuml'\nplantuml = 'tools/draw'\n");
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    command.current_dir(project.path("tools")).env("DRAWN", project.path("drawn"));
    let output = command.args(["portal", "check", "--format", "sections", "--out", "../sections"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(project.path("drawn").exists());
}

#[test]
fn what_is_missing_is_said_and_nothing_is_written() {
    let project = Project::new();
    project.program("hello", "cat > /dev/null; echo hello; echo 'never heard of -tsvg' >&2");
    project.program("bin/plantuml", "exit 0");
    let own = project.path("bin");
    let own = own.to_str().unwrap();
    for (arguments, path, expected) in [
        (&[][..], "", "there is no `plantuml` on the PATH\n  install it (apt-get install plantuml graphviz)"),
        // Not a folder that depends on where one is: it might be anybody's.
        (&[][..], "bin", "there is no `plantuml` on the PATH"),
        (&["--plantuml", "lib/plantuml.jar"][..], own, "lib/plantuml.jar\n  name a plantuml.jar or a command"),
        (&["--plantuml", "nothing"][..], own, "nothing and no program of that name on the PATH"),
        (
            &["--plantuml", "hello"][..],
            "/usr/bin:/bin",
            "of 3 diagrams it drew 0, and ended with exit status: 0: never heard of -tsvg",
        ),
        (&["--plantuml", "architecture"][..], own, "there is no file"),
        (&["--plantuml", YAML][..], own, "cannot be started: "),
        (&[][..], own, "of 3 diagrams it drew 0"),
    ] {
        let (code, said) = project.portal_with(&[&["build"], arguments].concat(), &[("PATH", path), ("JAVA_HOME", "")]);
        assert!(code == 2 && said.contains(expected), "{arguments:?} {path}: {said}");
    }
    project.write("plantuml.jar", "no jar");
    let (code, said) =
        project.portal_with(&["build", "--plantuml", "plantuml.jar"], &[("PATH", own), ("JAVA_HOME", own)]);
    assert!(code == 2 && said.contains("needs Java, which is neither in JAVA_HOME/bin nor on the PATH"), "{said}");
    let (code, said) = project.portal_with(&["serve"], &[("PATH", "")]);
    assert!(code == 2 && said.contains("there is no `plantuml` on the PATH"), "{said}");
    assert!(!project.path("portal").exists());
}

/// PlantUML ends as if all were well, and gives pictures of what is wrong.
#[test]
fn pictures_of_errors_are_not_taken() {
    if is_missing() {
        return;
    }
    let project = Project::new();
    let (code, said) = project.portal_with(&["build"], &[("GRAPHVIZ_DOT", "/nonexistent/dot")]);
    assert!(code == 2 && said.contains("PlantUML cannot find Graphviz") && said.contains("/nonexistent/dot"), "{said}");
    assert!(said.contains("apt-get install graphviz"), "{said}");
    // A program between that spoils two of three sources.
    project.program(
        "spoil",
        "sed 's/^entity \"loans\"/is no line of a diagram/; s/^e. [.][.]>/is no line either/' | plantuml \"$@\"",
    );
    let (code, said) = project.portal(&["build", "--plantuml", "spoil"]);
    assert_eq!(code, 2, "{said}");
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for expected in [
        "architecture/metadata/data-stores.yaml:1:1",
        "the diagram of `svc-loans`: PlantUML drew an error in line 8 of its source: Syntax Error?",
        "services/svc-loans.puml",
        "the map of all services: PlantUML drew an error in line ",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert!(!said.contains("`svc-members`"), "{said}");
    assert!(!project.path("portal").exists());
    // Pictures that look right, and an exit code that says otherwise.
    project.program("fails", "plantuml \"$@\"; echo 'out of memory' >&2; exit 3");
    let (code, said) = project.portal(&["build", "--plantuml", "fails"]);
    assert!(code == 2 && said.contains("ended with exit status: 3: out of memory"), "{said}");
    assert!(!project.path("portal").exists());
}

#[test]
fn a_server_draws_what_changed_and_nothing_else() {
    if is_missing() {
        return;
    }
    let project = Project::new();
    let log = project.path("asked");
    project.program("draw", &format!("tee -a '{}' | plantuml \"$@\"", log.display()));
    let asked = || std::fs::read_to_string(&log).unwrap().matches("@startuml").count();
    let served = Served::start(project.0.path(), &["--erd", "plantuml", "--plantuml", "draw"]);
    assert_eq!(asked(), 3);
    assert!(served.get("/services/svc-loans.html").body.contains("<img class=\"drawing fit\" src=\"svc-loans.svg\""));
    let before = served.get("/services/svc-loans.svg").body;

    // All lines move and the pages change; no diagram does.
    let intent = INTENT.replace("svc-empty:\n", "svc-empty:\n  features: [None at all]\n");
    project.write(YAML, &format!("# A comment\n{intent}"));
    wait(|| served.get("/services/svc-empty.html").body.contains("None at all"));
    assert_eq!(asked(), 3);

    project.write(YAML, &intent.replace("name: loan_id", "name: loan_number"));
    wait(|| served.get("/services/svc-loans.svg").body.contains("loan_number"));
    assert_eq!(asked(), 4);
    assert!(before.contains("loan_id"));

    // What PlantUML cannot do is said on the last good pages.
    std::fs::remove_file(project.path("draw")).unwrap();
    project.write(YAML, &intent.replace("name: loan_id", "name: loan_key"));
    let page = || served.get("/services/svc-loans.html").body;
    wait(|| page().contains("there is no file"));
    assert!(page().contains("loan_number"));
}

fn wait(is_so: impl Fn() -> bool) {
    let started = std::time::Instant::now();
    while !is_so() {
        assert!(started.elapsed() < 2 * served::PATIENCE, "it did not happen in time");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
}

/// The repository that all of it was made for.
#[test]
fn the_reference_repository_is_drawn_in_one_run() {
    if is_missing() {
        return;
    }
    let Some(corpora) = trueup_testkit::shared_corpora() else {
        skipped("the reference repository is not beside the clone");
        return;
    };
    let out = tempfile::tempdir().unwrap();
    let project = Project::new();
    project.program("once", "mkdir \"$ONCE\" && exec plantuml \"$@\"");
    let mut command = Command::new(env!("CARGO_BIN_EXE_trueup"));
    command.current_dir(corpora.join("novatrek")).env("ONCE", project.path("ran"));
    command.args(["portal", "build", "--erd", "plantuml", "--plantuml"]).arg(project.path("once")).arg("--out");
    let output = command.arg(out.path().join("portal")).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let pictures = svg_files(&out.path().join("portal/services"));
    assert!(pictures.len() > 20, "{}", pictures.len());
    for picture in pictures {
        assert_harmless(&std::fs::read_to_string(picture).unwrap());
    }
}

fn svg_files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|end| end == "svg")).collect()
}
