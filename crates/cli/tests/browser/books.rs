//! The Markdown, built by a real MkDocs: strictly, with nothing that runs in what comes out.

use std::collections::BTreeSet;
use std::path::Path;

use scraper::{Html, Selector};
use trueup_testkit::{mkdocs, skipped};

use crate::library::Library;
use crate::portals::{html_files, project, trueup};

/// Builds a project's Markdown; the HTML of all of its own pages. `None` when there is no MkDocs.
fn built(folder: &Path, format: &str, truth: &[&str]) -> Option<Vec<String>> {
    let target = tempfile::tempdir().unwrap();
    let (book, site) = (target.path().join("book"), target.path().join("site"));
    let output =
        trueup(folder).args(["portal", "build", "--format", format, "--out"]).arg(&book).args(truth).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    if let Err(why) = mkdocs::build(&book, &site)? {
        panic!("{format}: {why}");
    }
    let pages = html_files(&site).into_iter().filter(|page| page.file_name().is_some_and(|name| name != "404.html"));
    Some(pages.map(|page| std::fs::read_to_string(page).unwrap()).collect())
}

#[test]
fn mkdocs_builds_the_markdown_strictly_and_nothing_planted_is_left() {
    let hostile = project();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/brownfield");
    for format in ["mkdocs", "techdocs"] {
        // What the theme itself has is what pages of harmless text have.
        let (Some(harmless), Some(pages)) =
            (built(&example, format, &[]), built(hostile.path(), format, &["--report", "report.json"]))
        else {
            skipped("there is no MkDocs: run `cargo xtask fetch`");
            return;
        };
        assert_eq!(pages.len(), OF_ALL + 4, "pages of all, and a page for each service");
        let known = harmless.iter().flat_map(|page| active(page)).collect::<BTreeSet<String>>();
        for page in &pages {
            let more: Vec<String> = active(page).difference(&known).cloned().collect();
            assert_eq!(more, Vec::<String>::new(), "{format}");
            // Text that a template, a snippet or an attribute list would have changed is there as it was written.
            assert!(!page.contains("root:x:0:0"), "{format}: a file was put in");
        }
        let all = pages.concat();
        let text: String = Html::parse_document(&all).root_element().text().collect();
        for kept in
            ["{{ 7*7 }}", "<script>window.pwned=1</script>", "--8<-- \"/etc/passwd\"", "{ onclick=window.pwned=1 }"]
        {
            assert!(text.contains(kept), "{format}: {kept} is not shown");
        }
    }
}

/// Home, map, changes, migrations, findings, guide.
const OF_ALL: usize = 6;

#[test]
fn what_is_true_and_pages_of_tables_are_built_strictly() {
    let library = Library::new();
    let truth: Vec<&str> = library.truth.iter().map(String::as_str).collect();
    let large = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(large.path().join("architecture/metadata")).unwrap();
    std::fs::write(large.path().join("architecture/metadata/data-stores.yaml"), crate::large::intent()).unwrap();
    for format in ["mkdocs", "techdocs"] {
        let (Some(pages), Some(many)) = (built(&library.root(), format, &truth), built(large.path(), format, &[]))
        else {
            skipped("there is no MkDocs: run `cargo xtask fetch`");
            return;
        };
        assert_eq!((pages.len(), many.len()), (OF_ALL + 4, OF_ALL + 2 + crate::large::TABLES + 4), "{format}");
        let all: String = pages.concat();
        let text: String = Html::parse_document(&all).root_element().text().collect();
        assert!(text.contains("Changes in flight") && text.contains("References between services"), "{format}");
        if !truth.is_empty() {
            for shown in
                ["What went live, latest first", "live in prod", "designed, no migration makes it", "blocked cards"]
            {
                assert!(text.contains(shown), "{format}: {shown} is not shown");
            }
            // To the line that made something, to files, to commits, and to findings in the YAML.
            let links = hrefs(&all);
            let kinds = [
                ("blob/main/services/", ".sql#L"),
                ("blob/main/services/", ".sql"),
                ("commit/", ""),
                ("blob/main/architecture/metadata/", ".yaml#L"),
            ];
            for (start, middle) in kinds {
                let start = format!("https://github.com/acme/library/{start}");
                // A link to a file as a whole ends there.
                let leads = |link: &String| {
                    let end = link.strip_prefix(&start).and_then(|rest| rest.split_once(middle));
                    end.is_some_and(|(_, end)| middle != ".sql" || end.is_empty())
                };
                assert!(links.iter().any(leads), "{format}: no link to {start}…{middle}: {links:?}");
            }
        }
    }
}

#[test]
fn mkdocs_builds_the_reference_repository_strictly() {
    let Some(corpora) = trueup_testkit::shared_corpora() else {
        skipped("the reference repository is not beside the clone");
        return;
    };
    match built(&corpora.join("novatrek"), "mkdocs", &[]) {
        Some(pages) => assert!(pages.len() > 20, "{}", pages.len()),
        None => skipped("there is no MkDocs: run `cargo xtask fetch`"),
    }
}

/// Where links of pages lead that leave them.
fn hrefs(pages: &str) -> BTreeSet<String> {
    let links = Selector::parse("a[href^=https]").unwrap();
    let page = Html::parse_document(pages);
    page.select(&links).filter_map(|link| link.value().attr("href").map(str::to_owned)).collect()
}

/// Everything in a page that could act: elements and attributes of such a kind, and addresses that are no pages.
fn active(page: &str) -> BTreeSet<String> {
    let page = Html::parse_document(page);
    let mut found = BTreeSet::new();
    for element in page.select(&Selector::parse("*").unwrap()) {
        let name = element.value().name();
        if ["iframe", "object", "embed", "form", "base", "style", "foreignObject"].contains(&name) {
            found.insert(format!("<{name}>"));
        }
        if name == "script" {
            // The theme's own differ from page to page in paths alone.
            let text: String = element.text().collect();
            found.insert(format!("<script> {}", text.contains("pwned")));
        }
        for (attribute, value) in element.value().attrs() {
            let is_script = value.trim_start().to_ascii_lowercase().starts_with("javascript:");
            if attribute.starts_with("on") || attribute == "style" || attribute == "srcdoc" || is_script {
                found.insert(format!("<{name} {attribute}={value}>"));
            }
        }
    }
    found
}
