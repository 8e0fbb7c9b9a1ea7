//! Character sets: text as the site's WordPress reads it.
//!
//! WordPress sees what the server sends over its connection, which is UTF-8 nearly
//! everywhere, whatever character set a column has: the lengths in serialized values
//! count those bytes, and an address with an umlaut is found only in them. A column
//! in another set is therefore read converted and written as UTF-8 text, which the
//! server converts back. What does not fit the column's set is refused by the server,
//! and a value that would not come back as it was is not written.

use super::table::{Column, Raw};
use crate::{
    config::{Defined, Settings},
    database::client::quoted,
};

/// Sets whose bytes are UTF-8 as they are stored.
const UTF8: [&str; 3] = ["utf8mb4", "utf8mb3", "utf8"];

/// The character set of WordPress' connection.
pub(super) fn spoken(settings: &Settings, of_server: &str) -> String {
    let set = match &settings.db_charset {
        Defined::As(set) if !set.is_empty() => set.to_ascii_lowercase(),
        // PHP's own connections begin with the server's.
        Defined::As(_) | Defined::No if settings.multisite != Some(true) => {
            of_server.to_ascii_lowercase()
        }
        _ => UTF8[0].to_owned(),
    };
    // WordPress takes the better one of the two.
    if UTF8.contains(&set.as_str()) {
        UTF8[0].to_owned()
    } else {
        set
    }
}

/// The character set that a column's text is converted from; `None` where its bytes
/// are what WordPress sees.
pub(super) fn converted(column: &Raw, spoken: &str) -> Option<String> {
    let set = column.charset.as_str();
    let as_stored = set.is_empty() || set == "binary" || set == spoken || UTF8.contains(&set);
    (!as_stored).then(|| set.to_owned())
}

/// A column's value as it is read.
pub(super) fn value(column: &Column) -> String {
    let name = quoted(&column.name);
    if column.json {
        format!("CAST({name} AS CHAR CHARACTER SET utf8mb4)")
    } else if column.charset.is_some() {
        format!("CONVERT({name} USING utf8mb4)")
    } else {
        name
    }
}

/// The bytes of that, without a collation.
pub(super) fn bytes(column: &Column) -> String {
    if column.charset.is_some() {
        format!("CAST({} AS BINARY)", value(column))
    } else {
        format!("CAST({} AS BINARY)", quoted(&column.name))
    }
}

/// What stands before a literal for a column.
pub(super) fn introducer(column: &Column) -> &'static str {
    if column.json || column.charset.is_some() {
        "_utf8mb4"
    } else {
        ""
    }
}

/// A condition that holds while nothing of a converted value is lost on the way there
/// and back: some sets have bytes that are no character, or two for the same one.
pub(super) fn comes_back(column: &Column) -> Option<String> {
    let set = column.charset.as_ref()?;
    let stored = quoted(&column.name);
    let read = value(column);
    Some(format!(
        "CAST(CONVERT({read} USING {set}) AS BINARY)=CAST({stored} AS BINARY)"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_connection_is_what_wordpress_makes_it() {
        let with = |db_charset: Defined, multisite: Option<bool>| {
            let settings = Settings {
                db_charset,
                multisite,
                ..Settings::default()
            };
            spoken(&settings, "latin1")
        };
        let set = |name: &str| Defined::As(name.to_owned());
        assert_eq!(with(set("utf8"), None), "utf8mb4");
        assert_eq!(with(set("utf8mb4"), None), "utf8mb4");
        assert_eq!(with(set("Latin1"), None), "latin1");
        assert_eq!(with(Defined::Unknown, Some(false)), "utf8mb4");
        assert_eq!(with(Defined::No, Some(false)), "latin1");
        assert_eq!(with(set(""), Some(false)), "latin1");
        assert_eq!(with(set(""), Some(true)), "utf8mb4");
    }
}
