//! What the database user may do, as `SHOW GRANTS` tells it.

use crate::database::{
    client::Client,
    sql::{Kind, Token, Tokens},
};

/// What the current user was granted; `None` when the server would not say.
pub(super) fn grants(client: &mut Client) -> Option<Grants> {
    let lines: Vec<String> = client.rows("SHOW GRANTS").ok()?;
    Some(Grants(
        lines
            .iter()
            .filter_map(|line| Grant::parse(line.as_bytes()))
            .collect(),
    ))
}

/// All grants of a user.
#[derive(Debug, Default)]
pub(super) struct Grants(Vec<Grant>);

#[derive(Debug, PartialEq, Eq)]
struct Grant {
    /// Upper case; `ALL PRIVILEGES` for all.
    rights: Vec<String>,
    /// A pattern as for `LIKE`; `*` for all databases.
    database: String,
    /// `*` for all tables.
    table: String,
}

impl Grants {
    /// Whether a right is there on a whole database, or on one of its tables.
    pub fn allow(&self, right: &str, database: &str, table: Option<&str>) -> bool {
        self.0.iter().any(|grant| {
            (grant.database == "*" || like(grant.database.as_bytes(), database.as_bytes()))
                && (grant.table == "*" || table.is_some_and(|table| grant.table == table))
                && grant
                    .rights
                    .iter()
                    .any(|held| held == right || held == "ALL PRIVILEGES")
        })
    }
}

impl Grant {
    /// Reads `GRANT a, b (column) ON [TABLE] x.y TO …`; `None` for other lines.
    fn parse(line: &[u8]) -> Option<Self> {
        let tokens: Vec<Token> = Tokens::of(line).collect();
        let on = tokens.iter().position(|token| token.is("ON"))?;
        let mut rights = vec![String::new()];
        let mut depth = 0;
        for token in &tokens[1..on] {
            match token.text {
                b"(" => depth += 1,
                b")" => depth -= 1,
                b"," if depth == 0 => rights.push(String::new()),
                // A right on some columns is not the right.
                _ if depth > 0 => "(columns)".clone_into(rights.last_mut()?),
                word => {
                    let right = rights.last_mut()?;
                    if !right.is_empty() {
                        right.push(' ');
                    }
                    right.push_str(&String::from_utf8_lossy(word).to_ascii_uppercase());
                }
            }
        }
        let mut place = tokens[on + 1..]
            .iter()
            .filter(|token| !token.is("TABLE"))
            .take(3);
        let part = |token: &Token| match token.kind {
            Kind::Symbol => Some("*".to_owned()),
            _ => token.name(),
        };
        let database = part(place.next()?)?;
        place.next().filter(|dot| dot.is_symbol(b'.'))?;
        Some(Self {
            rights,
            database,
            table: part(place.next()?)?,
        })
    }
}

/// `LIKE` as grants have it: `%`, `_`, and `\` before what is meant itself.
fn like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some((b'%', rest)), _) => (0..=text.len()).any(|from| like(rest, &text[from..])),
        (Some((b'\\', rest)), Some((first, text))) if !rest.is_empty() => {
            rest[0] == *first && like(&rest[1..], text)
        }
        (Some((b'_', rest)), Some((_, text))) => like(rest, text),
        (Some((one, rest)), Some((first, text))) => one == first && like(rest, text),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_grants_and_their_patterns() {
        let grants = Grants(
            [
                "GRANT USAGE ON *.* TO `u`@`localhost` IDENTIFIED BY PASSWORD 'x'",
                r"GRANT SELECT, SHOW VIEW ON `lab\_1`.* TO `u`@`localhost`",
                "GRANT TRIGGER, SELECT (`a`, `b`) ON `lab_1`.`wp_posts` TO `u`@`localhost`",
                "GRANT ALL PRIVILEGES ON `all%`.* TO `u`@`localhost` WITH GRANT OPTION",
                "GRANT `role` TO `u`@`localhost`",
            ]
            .iter()
            .filter_map(|line| Grant::parse(line.as_bytes()))
            .collect(),
        );
        assert!(grants.allow("SHOW VIEW", "lab_1", None));
        assert!(!grants.allow("SHOW VIEW", "labx1", None));
        assert!(grants.allow("TRIGGER", "lab_1", Some("wp_posts")));
        assert!(!grants.allow("TRIGGER", "lab_1", Some("wp_users")));
        assert!(!grants.allow("TRIGGER", "lab_1", None));
        assert!(grants.allow("EVENT", "all_of_it", None));
        assert!(!grants.allow("EVENT", "lab_1", None));
    }
}
