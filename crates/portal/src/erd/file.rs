//! The diagram as a file of its own, with its colours inside: for whoever keeps it elsewhere.

use super::layout::Size;
use crate::markup::Markup;

/// The picture's rules and its colours, light and dark.
pub(crate) const STYLE: &str = concat!(include_str!("../../assets/colours.css"), include_str!("../../assets/erd.css"));

/// A whole file around what is drawn; `rules` are those of the domains' colours.
pub(crate) fn wrap(
    title: &str,
    description: &str,
    rules: &str,
    size: Size,
    inside: impl FnOnce(&mut Markup),
) -> String {
    let mut out = Markup::default();
    let (w, h, view) = (size.width.to_string(), size.height.to_string(), format!("0 0 {} {}", size.width, size.height));
    let attributes = [
        ("xmlns", "http://www.w3.org/2000/svg"),
        ("class", "erd alone"),
        ("role", "img"),
        ("aria-labelledby", "title desc"),
        ("width", w.as_str()),
        ("height", h.as_str()),
        ("viewBox", view.as_str()),
    ];
    out.element("svg", &attributes, |svg| {
        svg.leaf("title", &[("id", "title")], title).leaf("desc", &[("id", "desc")], description).line();
        svg.leaf("style", &[], &format!("{STYLE}{rules}")).line();
        svg.shape("rect", &[("class", "ground"), ("width", &w), ("height", &h)]);
        inside(svg);
    });
    out.finish()
}
