//! Icons of domains: drawn for the names that the reference repository and its like use, by the names of Material
//! Design's icons; anything else becomes its first letter.

use crate::markup::Markup;
use crate::text::{columns, visible};

/// Name and path, on a grid of 24 by 24, as lines.
const ICONS: [(&str, &str); 18] = [
    ("account", "M12 4a4 4 0 1 1 0 8a4 4 0 0 1 0-8M4 20c0-4 4-5 8-5s8 1 8 5"),
    ("account-group", "M9 5a3 3 0 1 1 0 6a3 3 0 0 1 0-6M3 19c0-3 3-5 6-5s6 2 6 5M16 6a3 3 0 0 1 0 5M17 14c2 0 4 2 4 5"),
    ("account-tie", "M12 3a4 4 0 1 1 0 8a4 4 0 0 1 0-8M4 21c0-4 4-6 8-6s8 2 8 6M10.5 15L12 17L13.5 15M12 17V21"),
    ("bell", "M6 17V11a6 6 0 0 1 12 0V17L20 19H4ZM10 19a2 2 0 0 0 4 0"),
    ("book", "M5 4H16a3 3 0 0 1 3 3V20H8a3 3 0 0 1-3-3ZM5 17a3 3 0 0 1 3-3H19"),
    ("calendar-check", "M4 6H20V20H4ZM4 10H20M8 3V7M16 3V7M9 15L11 17L15 13"),
    ("cart", "M3 4H6L8 15H18L20 7H7M9 18a1 1 0 1 1 0 2a1 1 0 0 1 0-2M17 18a1 1 0 1 1 0 2a1 1 0 0 1 0-2"),
    ("chart-line", "M4 4V20H20M7 15L11 10L14 13L19 7"),
    ("clipboard-check", "M6 5H18V21H6ZM9 3H15V7H9ZM9 14L11 16L15 12"),
    (
        "cog",
        "M12 8.5a3.5 3.5 0 1 1 0 7a3.5 3.5 0 0 1 0-7M12 3V6M12 18V21M3 12H6M18 12H21M5.6 5.6L7.8 7.8M16.2 16.2L18.4 18.4M5.6 18.4L7.8 16.2M16.2 7.8L18.4 5.6",
    ),
    ("credit-card", "M3 6H21V18H3ZM3 10H21M6 15H10"),
    ("database", "M4 6c0-4 16-4 16 0V18c0 4-16 4-16 0ZM4 6c0 4 16 4 16 0M4 12c0 4 16 4 16 0"),
    ("handshake", "M2 8L6 6L12 8L18 6L22 8V15L19 16L13 20L5 15L2 15ZM12 8L9 12L12 13L15 11L19 15"),
    ("lock", "M5 11H19V20H5ZM8 11V8a4 4 0 0 1 8 0V11"),
    (
        "map-marker-path",
        "M7 3a4 4 0 0 1 4 4c0 3-4 6-4 6s-4-3-4-6a4 4 0 0 1 4-4M7 17H16a3 3 0 0 0 0-6H15M18 19a2 2 0 1 1 0 .1",
    ),
    ("shield-alert", "M12 3L20 6V11c0 5-3 8-8 10c-5-2-8-5-8-10V6ZM12 8V13M12 16V16.5"),
    ("star", "M12 3L14.7 9L21 9.6L16.2 13.8L17.7 20L12 16.7L6.3 20L7.8 13.8L3 9.6L9.3 9Z"),
    ("truck-delivery", "M2 6H14V16H2ZM14 10H18L22 13V16H14M6 16a2 2 0 1 1 0 .1M17 16a2 2 0 1 1 0 .1"),
];

/// The icon that is meant: `mdi-book`, `material/book` and `book` are the same.
fn bare(name: &str) -> &str {
    let wanted = name.trim();
    wanted.rsplit(['/', ':']).next().unwrap_or(wanted).trim_start_matches("mdi-")
}

/// Whether an icon of this name is drawn.
pub(crate) fn is_drawn(name: &str) -> bool {
    names().any(|known| known == bare(name))
}

/// The names of all icons.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    ICONS.iter().map(|(name, _)| *name)
}

/// The icon of a domain, beside its name, which says what it means.
pub(super) fn draw(name: &str, out: &mut Markup) {
    let wanted = name.trim();
    match ICONS.iter().find(|(known, _)| *known == bare(wanted)) {
        Some((_, path)) => {
            let attributes = [("class", "icon"), ("viewBox", "0 0 24 24"), ("width", "20"), ("height", "20")];
            let attributes = [attributes.as_slice(), &[("aria-hidden", "true")]].concat();
            out.element("svg", &attributes, |svg| {
                svg.shape("path", &[("d", path)]);
            });
        }
        None => {
            out.leaf("span", &[("class", "icon letter"), ("aria-hidden", "true")], &letters(wanted));
        }
    }
}

/// What is short enough, such as an emoji, as it is; else its first letter.
fn letters(name: &str) -> String {
    let name = visible(name);
    if columns(&name) <= 2 && name.chars().count() <= 8 {
        return name.into_owned();
    }
    name.chars().next().map(|first| first.to_uppercase().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_drawn_and_others_are_a_letter() {
        let drawn = |name: &str| {
            let mut out = Markup::new();
            draw(name, &mut out);
            out.finish()
        };
        for name in ["cog", "mdi-cog", "material/cog", "mdi:cog"] {
            assert!(drawn(name).starts_with("<svg class=\"icon\""), "{name}");
        }
        assert!(drawn("warehouse").contains(">W</span>"));
        assert!(drawn("🚚").contains(">🚚</span>"));
        assert!(drawn("<script>").contains(">&lt;</span>"));
    }

    #[test]
    fn names_are_in_order_and_paths_are_paths() {
        assert!(ICONS.is_sorted_by(|a, b| a.0 < b.0));
        let is_path = |path: &str| path.chars().all(|c| c.is_ascii_digit() || "MLHVSZaclhvsz .-".contains(c));
        ICONS.iter().for_each(|(name, path)| assert!(is_path(path), "{name}"));
    }
}
