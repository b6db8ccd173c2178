//! The condition inside `CHECK (…)`: a range, a comparison of this column, or SQL.

use trueup_model::declared::Check;
use trueup_model::name::Identifier;

use crate::prose::{Kind, Token, extent, lex};

/// Reads the condition of a check on `column`; `Err` says what is wrong with it.
pub(crate) fn condition(inside: &str, column: &Identifier) -> Result<Check, &'static str> {
    let tokens = lex(inside);
    if tokens.is_empty() {
        return Err("the brackets of CHECK are empty");
    }
    if tokens.iter().any(|token| token.kind == Kind::Unclosed) {
        return Err("a quote or bracket in the condition is never closed");
    }
    if let Some((low, high)) = range(inside, &tokens) {
        return if low.1 <= high.1 {
            Ok(Check::Range { low: low.0, high: high.0 })
        } else {
            Err("the range of CHECK ends before it starts")
        };
    }
    if let Some((operator, operand)) = comparison(inside, &tokens) {
        return Ok(Check::Comparison { operator, operand });
    }
    elided(inside, &tokens, column)
}

/// A number as written, and its value.
type Number = (String, f64);

/// `1-5`, `-90 - 90`, `0.5 .. 1`, `1 to 5`; a dash of any length.
fn range(text: &str, tokens: &[Token]) -> Option<(Number, Number)> {
    let parts = parts(text, tokens);
    let mut rest = parts.as_slice();
    let low = number(&mut rest)?;
    let separator = *rest.first()?;
    if !["-", "–", "—", "to", "TO", ".."].contains(&separator) {
        return None;
    }
    rest = &rest[1..];
    let high = number(&mut rest)?;
    rest.is_empty().then_some((low, high))
}

/// The tokens' text, with two dots as one part.
fn parts<'t>(text: &'t str, tokens: &[Token]) -> Vec<&'t str> {
    let mut parts: Vec<&str> = Vec::new();
    for token in tokens {
        let part = &text[token.range.clone()];
        match part {
            "." if parts.last() == Some(&".") => {
                parts.pop();
                parts.push("..");
            }
            _ => parts.push(part),
        }
    }
    parts
}

fn number(rest: &mut &[&str]) -> Option<Number> {
    let (sign, digits, used) = match *rest {
        ["-", digits, ..] => ("-", *digits, 2),
        ["+", digits, ..] => ("", *digits, 2),
        [digits, ..] => ("", *digits, 1),
        [] => return None,
    };
    if !digits.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let written = format!("{sign}{digits}");
    let value: f64 = written.parse().ok().filter(|value: &f64| value.is_finite())?;
    *rest = &rest[used..];
    Some((written, value))
}

/// `> 0`: an operator and one simple operand.
fn comparison(text: &str, tokens: &[Token]) -> Option<(String, String)> {
    let (operator, operand) = operator(text, tokens)?;
    let words = operand.iter().filter(|token| token.kind == Kind::Word).count();
    let joined = operand.iter().any(|token| token.kind == Kind::Comma || is_junction(text, token));
    let called = words == 1 && operand.get(1).is_none_or(|next| !next.spaced || next.kind == Kind::Symbol);
    let simple = words == 0 || called || operand.len() == 1;
    (!joined && simple && !operand.is_empty()).then(|| (operator, text[extent(operand)].to_owned()))
}

/// A leading comparison operator, in SQL's spelling, and the tokens behind it.
fn operator<'t>(text: &str, tokens: &'t [Token]) -> Option<(String, &'t [Token])> {
    let first = tokens.first().filter(|token| token.kind == Kind::Symbol)?;
    let operator = match &text[first.range.clone()] {
        "≤" => "<=",
        "≥" => ">=",
        "≠" | "!=" | "<>" => "<>",
        written @ ("<" | "<=" | ">" | ">=" | "=") => written,
        _ => return None,
    };
    Some((operator.to_owned(), &tokens[1..]))
}

fn is_junction(text: &str, token: &Token) -> bool {
    let word = &text[token.range.clone()];
    token.kind == Kind::Word && (word.eq_ignore_ascii_case("and") || word.eq_ignore_ascii_case("or"))
}

/// SQL in which the column may be left out at the start of each condition: `> 0 AND < 10`, `IN ('a', 'b')`.
fn elided(text: &str, tokens: &[Token], column: &Identifier) -> Result<Check, &'static str> {
    let mut sql = String::new();
    let mut between = false;
    let mut starts = true;
    for (position, token) in tokens.iter().enumerate() {
        if !sql.is_empty() && token.spaced {
            sql.push(' ');
        }
        if starts && is_predicate(text, &tokens[position..]) {
            sql.push_str(&column.quoted());
            sql.push(' ');
        }
        let word = &text[token.range.clone()];
        sql.push_str(word);
        // The AND of BETWEEN joins its two ends, not two conditions.
        starts = is_junction(text, token) && !(between && word.eq_ignore_ascii_case("and"));
        between = if is_junction(text, token) { false } else { between || word.eq_ignore_ascii_case("between") };
    }
    Ok(Check::Expression(sql))
}

/// Whether these tokens start with what stands behind a column, rather than with the column.
fn is_predicate(text: &str, tokens: &[Token]) -> bool {
    let word = |position: usize| {
        let token = tokens.get(position).filter(|token| token.kind == Kind::Word)?;
        Some(text[token.range.clone()].to_ascii_lowercase())
    };
    let first = word(0);
    let after_not = if first.as_deref() == Some("not") { word(1) } else { first.clone() };
    let group_follows = |position: usize| tokens.get(position).is_some_and(|token| token.kind == Kind::Group);
    match after_not.as_deref() {
        Some("in") => group_follows(if first.as_deref() == Some("not") { 2 } else { 1 }),
        Some("between" | "like" | "ilike" | "similar") => true,
        Some("is") => first.as_deref() == Some("is"),
        _ => {
            let symbol =
                tokens.first().filter(|token| token.kind == Kind::Symbol).map(|token| &text[token.range.clone()]);
            symbol
                .is_some_and(|symbol| ["<", "<=", ">", ">=", "=", "<>", "!=", "~", "~*", "!~", "!~*"].contains(&symbol))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(inside: &str) -> Result<Check, &'static str> {
        condition(inside, &Identifier::new("c"))
    }

    fn range(low: &str, high: &str) -> Result<Check, &'static str> {
        Ok(Check::Range { low: low.to_owned(), high: high.to_owned() })
    }

    fn expression(sql: &str) -> Result<Check, &'static str> {
        Ok(Check::Expression(sql.to_owned()))
    }

    #[test]
    fn ranges() {
        assert_eq!(read("1-5"), range("1", "5"));
        assert_eq!(read(" 1 – 5 "), range("1", "5"));
        assert_eq!(read("-5-5"), range("-5", "5"));
        assert_eq!(read("-90 - 90"), range("-90", "90"));
        assert_eq!(read("-5--1"), range("-5", "-1"));
        assert_eq!(read("0.5-1.25"), range("0.5", "1.25"));
        assert_eq!(read("1..5"), range("1", "5"));
        assert_eq!(read("0 to 100"), range("0", "100"));
        assert!(read("5-1").is_err());
    }

    #[test]
    fn comparisons() {
        for (written, operator, operand) in [
            ("> 0", ">", "0"),
            (">0", ">", "0"),
            (">= -5", ">=", "-5"),
            ("!= 'x'", "<>", "'x'"),
            ("≤ 10.5", "<=", "10.5"),
            (">-1", ">", "-1"),
            ("> now()", ">", "now()"),
            ("< other_column", "<", "other_column"),
        ] {
            let expected = Check::Comparison { operator: operator.to_owned(), operand: operand.to_owned() };
            assert_eq!(read(written), Ok(expected), "{written}");
        }
    }

    #[test]
    fn the_column_may_be_left_out() {
        assert_eq!(read("> 0 AND < 10"), expression("\"c\" > 0 AND \"c\" < 10"));
        assert_eq!(read("IN ('a', 'b')"), expression("\"c\" IN ('a', 'b')"));
        assert_eq!(read("NOT IN (1, 2) OR > 7"), expression("\"c\" NOT IN (1, 2) OR \"c\" > 7"));
        assert_eq!(read("BETWEEN 1 AND 5 AND <> 3"), expression("\"c\" BETWEEN 1 AND 5 AND \"c\" <> 3"));
        assert_eq!(read("~ '^[A-Z]+$'"), expression("\"c\" ~ '^[A-Z]+$'"));
    }

    #[test]
    fn full_sql_stays_as_it_is() {
        for sql in [
            "c > 0 AND c < 10",
            "c IN ('a', 'b')",
            "length(c) > 3",
            "c ~ 'x' OR c IS NULL",
            "a - 5 > 1",
            "pending, done",
        ] {
            assert_eq!(read(sql), expression(sql));
        }
        assert!(read("").is_err());
        assert!(read("'a").is_err());
    }
}
