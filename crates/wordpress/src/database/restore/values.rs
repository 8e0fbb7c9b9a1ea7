//! Whether the rows of an `INSERT` are nothing but values.

use crate::{
    Error, Result,
    database::sql::{Kind, Token, Tokens},
};

/// Functions that dumps write around values and that read nothing.
const FUNCTIONS: [&str; 12] = [
    "ST_GEOMFROMTEXT",
    "ST_GEOMFROMWKB",
    "GEOMFROMTEXT",
    "GEOMFROMWKB",
    "ST_GEOMETRYFROMTEXT",
    "POINT",
    "UNHEX",
    "FROM_BASE64",
    "CURRENT_TIMESTAMP",
    "NOW",
    "CONVERT_TZ",
    "CHAR",
];
const WORDS: [&str; 8] = [
    "NULL",
    "TRUE",
    "FALSE",
    "DEFAULT",
    "CURRENT_TIMESTAMP",
    "BINARY",
    "X",
    "B",
];

/// Counts the rows after `VALUES`; refuses anything but literals in them.
pub(super) fn count_rows(values: &[u8]) -> Result<u64> {
    let mut tokens = Tokens::of(values).peekable();
    let mut rows = 0;
    loop {
        if !tokens.next().is_some_and(|token| token.is_symbol(b'(')) {
            return Err(refused("a row that does not start with `(`"));
        }
        let mut depth = 1_u32;
        while depth > 0 {
            let token = tokens.next().ok_or_else(|| refused("a row without end"))?;
            match token.kind {
                Kind::Text => {}
                Kind::Symbol => match token.text[0] {
                    b'(' => depth += 1,
                    b')' => depth -= 1,
                    b',' | b'+' | b'-' | b'.' => {}
                    _ => return Err(not_a_value(&token)),
                },
                Kind::Word if token.text[0].is_ascii_digit() => {}
                Kind::Word if token.text[0] == b'_' => {
                    // A character set before a text or number.
                    let literal = tokens.peek().is_some_and(|next| {
                        next.kind == Kind::Text
                            || next.text[0].is_ascii_digit()
                            || next.is("X")
                            || next.is("B")
                    });
                    if !literal {
                        return Err(not_a_value(&token));
                    }
                }
                Kind::Word => {
                    let called = tokens.peek().is_some_and(|next| next.is_symbol(b'('));
                    let known: &[&str] = if called { &FUNCTIONS } else { &WORDS };
                    let national =
                        token.is("N") && tokens.peek().is_some_and(|next| next.kind == Kind::Text);
                    if !national && !known.iter().any(|word| token.is(word)) {
                        return Err(not_a_value(&token));
                    }
                }
                _ => return Err(not_a_value(&token)),
            }
        }
        rows += 1;
        match tokens.next() {
            None => return Ok(rows),
            Some(token) if token.is_symbol(b',') => {}
            Some(token) => return Err(not_a_value(&token)),
        }
    }
}

fn not_a_value(token: &Token) -> Error {
    let shown = String::from_utf8_lossy(&token.text[..token.text.len().min(40)]).into_owned();
    refused(&format!("`{shown}`"))
}

fn refused(what: &str) -> Error {
    Error::BadInput(format!(
        "an `INSERT` in the dump holds {what}, which is not a plain value"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_pass_and_nothing_else() {
        for (good, rows) in [
            ("(1,'a''b',NULL),(-1.5e-3,_binary 'x',0xFF)", 2),
            ("( x'00' , b'1' , _utf8mb4 0x41 , DEFAULT , n'a')", 1),
            (
                "(ST_GeomFromText('POINT(1 2)', 4326), unhex('00'), current_timestamp())",
                1,
            ),
            ("()", 1),
        ] {
            assert_eq!(count_rows(good.as_bytes()).unwrap(), rows, "{good}");
        }
        for bad in [
            "((SELECT user_pass FROM wp_users LIMIT 1))",
            "(LOAD_FILE('/etc/passwd'))",
            "(@@hostname)",
            "(`a`)",
            "(SLEEP(9))",
            "(1) ON DUPLICATE KEY UPDATE a = 1",
            "(1),",
            "(1",
            "",
            "(/*!50000 1 */)",
            "(1); DROP TABLE x",
            "(_utf8mb4 user())",
            "(a)",
        ] {
            assert!(count_rows(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
