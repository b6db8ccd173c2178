//! A real PlantUML, and the Graphviz that places its boxes: Debian's packages.

/// What is missing; nothing when both are on the PATH. Say [`crate::skipped`] then.
pub fn missing() -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let has = |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    let missing: Vec<&str> = ["plantuml", "java", "dot"].into_iter().filter(|program| !has(program)).collect();
    let why = format!("{} is not on the PATH; Debian's packages plantuml and graphviz have it", missing.join(", "));
    (!missing.is_empty()).then_some(why)
}
