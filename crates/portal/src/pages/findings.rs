//! Findings: on a page of their own, and on each service's page.

use std::collections::BTreeSet;

use trueup_model::declared::DeclaredService;
use trueup_model::finding::{Finding, Severity, State};

use super::service::section;
use super::tables::heads;
use super::{Pages, badge};
use crate::by_rule::{by_rule, sentence};
use crate::input::Accepted;
use crate::links::Page;
use crate::markup::Markup;
use crate::text::{count, thousands};
use crate::words::{as_of_the_report, no_finding};

/// The page of all findings shows all of them up to so many; of more, the first of each service.
const MOST: usize = 2_000;
const SHOWN_OF_MANY: usize = 10;

/// Up to so many findings lie open; of more there is a summary first, and those of a service are behind one of their own.
pub(crate) const OPEN: usize = 40;

/// The anchor of a finding.
pub(super) fn anchor_of(finding: &Finding) -> String {
    format!("f-{}", finding.fingerprint())
}

impl Pages<'_> {
    /// The page of all findings.
    pub(crate) fn findings(&self) -> String {
        self.shell(&Page::Findings, "Findings", |main| {
            main.leaf("h1", &[], "Findings");
            let all = self.input.report.map_or(self.input.reading, |report| report.findings.as_slice());
            main.leaf(
                "p",
                &[("class", "banner")],
                &match self.input.report {
                    None => {
                        let found = count(all.len(), "finding");
                        format!("Not verified: no report of a check was given. Reading the YAML alone gave {found}.")
                    }
                    Some(_) => {
                        let found = count(all.len(), "finding");
                        format!("{found} as of the report. What was accepted is listed with its service.")
                    }
                },
            );
            self.rules(all, main);
            for service in &self.input.declared.services {
                self.group_of(service, all.len() <= OPEN, main);
            }
            self.strays(all, main);
        })
    }

    /// How often each rule found something; a few findings speak for themselves.
    fn rules(&self, all: &[Finding], out: &mut Markup) {
        if all.len() <= OPEN {
            return;
        }
        section("rules", "By rule", out, |section| {
            section.element("table", &[("class", "rules")], |table| {
                table.leaf("caption", &[("class", "sr")], "Findings by rule");
                heads(&["Rule", "Findings", "Services"], table);
                table.element("tbody", &[], |body| {
                    for of_rule in by_rule(all) {
                        body.line().element("tr", &[], |row| {
                            row.element("th", &[("scope", "row")], |head| rule(of_rule.example, head));
                            for number in [of_rule.findings, of_rule.services] {
                                row.leaf("td", &[], &thousands(number));
                            }
                        });
                    }
                });
            });
        });
    }

    fn group_of(&self, service: &DeclaredService, is_open: bool, out: &mut Markup) {
        let name = &service.name.value;
        let (findings, accepted) = (self.input.findings(name), self.input.accepted(name));
        let Some(page) = self.links.service(name) else { return };
        if findings.is_empty() && accepted.is_empty() {
            return;
        }
        out.line().element("section", &[], |section| {
            section.element("h2", &[], |title| {
                title.leaf("a", &[("href", &Page::Findings.to_anchor(&page, "findings"))], name).text(" ");
                badge(&self.input.standing(service), title);
            });
            let shown = &findings[..findings.len().min(self.shown_findings())];
            if is_open || shown.is_empty() {
                self.list(name, shown, false, section);
            } else {
                section.element("details", &[("class", "by-service")], |details| {
                    details.leaf("summary", &[], &sentence(findings));
                    self.list(name, shown, false, details);
                });
            }
            if findings.len() > self.shown_findings() {
                section.element("p", &[], |p| {
                    let more = format!("and {} more", thousands(findings.len() - self.shown_findings()));
                    p.leaf("a", &[("href", &Page::Findings.to_anchor(&page, "findings"))], &more);
                });
            }
            accepted_list(accepted, section);
        });
    }

    /// How many findings of one service stand on the page of all: fewer, where there are more than one page can show.
    fn shown_findings(&self) -> usize {
        let all = self.input.report.map_or(self.input.reading.len(), |report| report.findings.len());
        if all > MOST { SHOWN_OF_MANY } else { MOST }
    }

    /// Findings of what is not in the intent: folders of migrations that no service claims, and whole files.
    fn strays(&self, all: &[Finding], out: &mut Markup) {
        let known: BTreeSet<&str> =
            self.input.declared.services.iter().map(|service| service.name.value.as_str()).collect();
        let strays: Vec<&Finding> = all.iter().filter(|finding| !known.contains(finding.service.as_str())).collect();
        if !strays.is_empty() {
            section("elsewhere", "Not of a service of the intent", out, |section| {
                self.list("elsewhere", &strays, false, section);
            });
        }
    }

    /// The findings of a service, on its page.
    pub(super) fn service_findings(&self, service: &DeclaredService, page: &Page, out: &mut Markup) {
        let name = &service.name.value;
        let (findings, accepted) = (self.input.findings(name), self.input.accepted(name));
        section("findings", "Findings", out, |section| {
            if self.input.report.is_none() {
                section.element("p", &[("class", "note")], |p| {
                    p.text("Not verified: no report of a check was given");
                    p.text(if findings.is_empty() { ". " } else { "; this is what reading the YAML alone found. " });
                    p.leaf("a", &[("href", &page.to(&Page::Guide))], "How to read this");
                });
            } else if let Some(why) = self.input.outdated(service) {
                section.leaf("p", &[("class", "note")], &as_of_the_report(why));
            } else if findings.is_empty() {
                section.leaf("p", &[("class", "note")], &no_finding(&self.input.standing(service)));
            }
            self.list(name, findings, true, section);
            accepted_list(accepted, section);
        });
    }

    /// A table of findings; on a service's page each row is an anchor.
    fn list(&self, service: &str, findings: &[&Finding], anchors: bool, out: &mut Markup) {
        if findings.is_empty() {
            return;
        }
        let label = format!("Findings of {service}");
        let frame = [("class", "scroll"), ("role", "region"), ("tabindex", "0"), ("aria-label", label.as_str())];
        out.element("div", &frame, |frame| {
            frame.element("table", &[("class", "findings")], |table| {
                table.leaf("caption", &[("class", "sr")], &label);
                table.element("thead", &[], |head| {
                    head.element("tr", &[], |row| {
                        for title in ["Rule", "Object", "What is the case", "Where"] {
                            row.leaf("th", &[("scope", "col")], title);
                        }
                    });
                });
                table.element("tbody", &[], |body| {
                    let mut seen = BTreeSet::new();
                    for finding in findings {
                        let anchor = anchor_of(finding);
                        let is_first = seen.insert(anchor.clone());
                        self.row(finding, Some(anchor).filter(|_| anchors && is_first).as_deref(), body);
                    }
                });
            });
        });
    }

    fn row(&self, finding: &Finding, anchor: Option<&str>, out: &mut Markup) {
        let attributes: Vec<_> = anchor.iter().map(|anchor| ("id", *anchor)).collect();
        out.line().element("tr", &attributes, |row| {
            row.element("td", &[], |cell| {
                rule(finding, cell);
            });
            row.element("th", &[("scope", "row")], |head| {
                let object = finding.object.to_string();
                head.code(if object.is_empty() { &finding.service } else { &object });
            });
            row.element("td", &[], |cell| {
                cell.prose(&finding.message);
                if !finding.help.is_empty() {
                    cell.void("br", &[]).element("span", &[("class", "quiet")], |help| {
                        help.prose(&finding.help);
                    });
                }
                if let Some(sql) = &finding.fix {
                    cell.void("br", &[]).leaf("code", &[], sql);
                }
            });
            row.element("td", &[("class", "where")], |cell| {
                for place in finding.locations() {
                    self.place(place, cell);
                    cell.void("br", &[]);
                }
            });
        });
    }
}

/// The rule, after the sign of how much it matters.
fn rule(finding: &Finding, out: &mut Markup) {
    let (class, sign, words) = signs(finding);
    out.element("span", &[("class", class)], |sign_of| {
        sign_of.leaf("span", &[("aria-hidden", "true")], sign).leaf("span", &[("class", "sr")], words);
    });
    out.text(" ").text(finding.rule.name());
}

fn signs(finding: &Finding) -> (&'static str, &'static str, &'static str) {
    match (finding.state, finding.severity) {
        (State::Unknown, _) => ("sign unknown", "?", "unknown: "),
        (_, Severity::Error) => ("sign differs", "✗", "error: "),
        (_, Severity::Warning) => ("sign warning", "!", "warning: "),
        (_, Severity::Info) => ("sign", "i", "info: "),
    }
}

fn accepted_list(accepted: &[&Accepted], out: &mut Markup) {
    if accepted.is_empty() {
        return;
    }
    out.element("details", &[], |details| {
        details.leaf("summary", &[], &format!("{} accepted", count(accepted.len(), "finding")));
        details.element("ul", &[], |list| {
            for entry in accepted {
                list.element("li", &[], |item| {
                    item.text(entry.finding.rule.name()).text(" ").code(&entry.finding.object.to_string());
                    item.text(": ").prose(&entry.finding.message).text(" (").text(&entry.by);
                    match &entry.reason {
                        Some(reason) => item.text(": ").text(reason).text(")"),
                        None => item.text(", without a reason)"),
                    };
                });
            }
        });
    });
}
