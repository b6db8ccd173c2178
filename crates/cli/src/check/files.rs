//! Paths and globs, relative to the project root.

use std::path::Path;

use wildmatch::WildMatch;

/// Folders deeper than this are not searched for a glob.
const DEPTH: usize = 12;

/// The files that a path, or a glob with `*` and `?`, names; sorted, relative to `root`, with `/`.
pub fn matching(root: &Path, pattern: &str) -> Vec<String> {
    if !pattern.contains(['*', '?']) {
        return if root.join(pattern).is_file() { vec![pattern.to_owned()] } else { Vec::new() };
    }
    let glob = WildMatch::new(pattern);
    let mut found = Vec::new();
    walk(root, root, 0, &mut |path| {
        if glob.matches(path) {
            found.push(path.to_owned());
        }
    });
    found.sort();
    found
}

/// Those of the files, relative to the root, that a path or a glob names; sorted.
pub fn named<'f>(files: &'f [String], pattern: &str) -> Vec<&'f str> {
    let glob = WildMatch::new(pattern);
    let is_glob = pattern.contains(['*', '?']);
    let names = |file: &&str| if is_glob { glob.matches(file) && !is_hidden(file) } else { *file == pattern };
    let mut found: Vec<&str> = files.iter().map(String::as_str).filter(names).collect();
    found.sort_unstable();
    found
}

/// Folders that begin with a dot, and what lies too deep, are not searched on disk either.
fn is_hidden(file: &str) -> bool {
    let folders = file.split('/').count() - 1;
    folders > DEPTH || file.split('/').take(folders).any(|folder| folder.starts_with('.'))
}

fn walk(root: &Path, folder: &Path, depth: usize, visit: &mut dyn FnMut(&str)) {
    // A folder that cannot be listed holds no file that could be read either: the glob then names nothing, and that is said.
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let hidden = entry.file_name().to_string_lossy().starts_with('.');
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !hidden && depth < DEPTH => walk(root, &path, depth + 1, visit),
            Ok(kind) if kind.is_file() => {
                if let Ok(relative) = path.strip_prefix(root) {
                    let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
                    visit(&parts.join("/"));
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_and_paths_name_files_below_the_root() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("meta/a")).unwrap();
        for file in ["meta/one.yaml", "meta/a/two.yaml", "meta/three.txt"] {
            std::fs::write(root.path().join(file), "").unwrap();
        }
        assert_eq!(matching(root.path(), "meta/*.yaml"), ["meta/a/two.yaml", "meta/one.yaml"]);
        assert_eq!(matching(root.path(), "meta/one.yaml"), ["meta/one.yaml"]);
        assert_eq!(matching(root.path(), "meta/none.yaml"), Vec::<String>::new());
        let files = ["meta/one.yaml", "meta/a/two.yaml", "meta/three.txt", "meta/.a/four.yaml"].map(str::to_owned);
        assert_eq!(named(&files, "meta/*.yaml"), ["meta/a/two.yaml", "meta/one.yaml"]);
        assert_eq!(named(&files, "meta/one.yaml"), ["meta/one.yaml"]);
        assert_eq!(named(&files, "meta/none.yaml"), Vec::<&str>::new());
    }
}
