//! A random question, as a selector and as SQL.

use super::pool::{DOMAINS, KINDS, LOWEST, NAMES, SLUGS, STATES, TAGS, VERSIONS, quoted};
use pressroom_testkit::chance::Chance;
use std::fmt;

/// What is asked.
#[derive(Debug)]
pub enum Ask {
    One { text: String, sql: String },
    Not(Box<Ask>),
    And(Vec<Ask>),
    Or(Vec<Ask>),
}

const SIGNS: [&str; 6] = ["<", "<=", "=", "!=", ">=", ">"];

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |parts: &[Self], between: &str| {
            let parts: Vec<String> = parts.iter().map(ToString::to_string).collect();
            parts.join(between)
        };
        match self {
            Self::One { text, .. } => f.write_str(text),
            Self::Not(inner) => write!(f, "-({inner})"),
            Self::And(parts) => write!(f, "({})", joined(parts, " ")),
            Self::Or(parts) => write!(f, "({})", joined(parts, " OR ")),
        }
    }
}

impl Ask {
    pub fn random(chance: &mut Chance, depth: usize) -> Self {
        let part = |chance: &mut Chance| Self::random(chance, depth - 1);
        match chance.below(if depth == 0 { 4 } else { 9 }) {
            0..=3 => one(chance),
            4 => Self::Not(Box::new(part(chance))),
            5 | 6 => Self::And((0..2 + chance.below(2)).map(|_| part(chance)).collect()),
            _ => Self::Or((0..2 + chance.below(2)).map(|_| part(chance)).collect()),
        }
    }

    /// True, false or null.
    pub fn sql(&self) -> String {
        let joined = |parts: &[Self], between: &str| {
            let parts: Vec<String> = parts.iter().map(Self::sql).collect();
            format!("({})", parts.join(between))
        };
        match self {
            Self::One { sql, .. } => sql.clone(),
            Self::Not(inner) => format!("(NOT {})", inner.sql()),
            Self::And(parts) => joined(parts, " AND "),
            Self::Or(parts) => joined(parts, " OR "),
        }
    }
}

fn one(chance: &mut Chance) -> Ask {
    let (text, sql) = match chance.below(13) {
        0 => ("all".to_owned(), "TRUE".to_owned()),
        1 => named(chance, "account", &NAMES, |names| {
            format!("a.name IN {names}")
        }),
        2 if chance.below(3) == 0 => {
            let id = chance.below(300);
            (format!("site:WP_{id}"), format!("e.panel_id = 'wp_{id}'"))
        }
        2 => named(chance, "site", &NAMES, |names| format!("s.name IN {names}")),
        3 => named(chance, "domain", &DOMAINS, |names| {
            let urls = names
                .replace("('", "('https://")
                .replace(",'", ",'https://");
            format!("(COALESCE(d.name IN {names}, FALSE) OR e.url IN {urls})")
        }),
        4 => host(chance),
        5 => tag(chance),
        6 => {
            let kind = chance.one(&KINDS);
            (format!("env:{kind}"), format!("e.kind = '{kind}'"))
        }
        7 => {
            let state = chance.one(&STATES);
            let word = if state == "broken" { "down" } else { state };
            (format!("status!={word}"), format!("e.state <> '{state}'"))
        }
        8 => software(chance),
        9 | 10 => component(chance),
        11 => updates(chance),
        _ => snapshot(chance),
    };
    Ask::One {
        text,
        sql: format!("({sql})"),
    }
}

fn value(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

fn list<'a>(texts: impl IntoIterator<Item = &'a &'a str>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    format!("({})", texts.join(","))
}

fn named(
    chance: &mut Chance,
    field: &str,
    pool: &[&[&str]],
    sql: impl Fn(&str) -> String,
) -> (String, String) {
    let group = chance.one(pool);
    let text = format!("{field}:{}", value(chance.one(group)));
    (text, sql(&list(group)))
}

fn host(chance: &mut Chance) -> (String, String) {
    if chance.below(2) == 0 {
        // An address has one spelling: it is kept as it was written.
        let name = chance.one(&["a.example", "B.example", "xn--mller-kva.example"]);
        let sql = format!("COALESCE(h.address = '{}', FALSE)", name.to_lowercase());
        return (format!("host:{name}"), sql);
    }
    named(chance, "host", &NAMES, |names| {
        let is_local = names.contains("'local'");
        let here = if is_local {
            "e.host_id IS NULL"
        } else {
            "FALSE"
        };
        format!("({here} OR COALESCE(h.label IN {names}, FALSE))")
    })
}

fn tag(chance: &mut Chance) -> (String, String) {
    let tag = chance.one(&TAGS);
    let sql = format!(
        "EXISTS (SELECT 1 FROM environment_tags t WHERE t.environment_id = e.id AND t.tag = {})",
        quoted(tag)
    );
    (
        format!("tag:{}", tag.to_uppercase().replace("GRÖSSE", "GRÖßE")),
        sql,
    )
}

/// A comparison, and the versions that occur for which it is true.
fn bound(chance: &mut Chance) -> (String, String) {
    let rank = chance.below(VERSIONS.len());
    let sign = chance.one(&SIGNS);
    let version = chance.one(VERSIONS[rank]);
    let mut such: Vec<&&str> = Vec::new();
    for (other, versions) in VERSIONS.iter().enumerate() {
        if holds(sign, other.cmp(&rank)) {
            such.extend(versions.iter());
        }
    }
    if holds(sign, std::cmp::Ordering::Less) {
        such.push(&LOWEST);
    }
    // A list must not be empty.
    such.push(&"no version");
    (format!("{sign}{version}"), list(such))
}

fn holds(sign: &str, order: std::cmp::Ordering) -> bool {
    match sign {
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        ">=" => order.is_ge(),
        _ => order.is_gt(),
    }
}

fn software(chance: &mut Chance) -> (String, String) {
    let (field, column) = chance.one(&[("php", "e.php_version"), ("wp", "e.core_version")]);
    if chance.below(2) == 0 {
        let series = chance.one(&["1", "1.0", "1.1", "1.10", "10"]);
        let length = series.len() + 1;
        let sql = format!(
            "CASE WHEN {column} = '' THEN NULL \
             ELSE {column} = '{series}' OR substr({column}, 1, {length}) = '{series}.' END"
        );
        return (format!("{field}:{series}"), sql);
    }
    let (bound, such) = bound(chance);
    let sql = format!("CASE WHEN {column} = '' THEN NULL ELSE {column} IN {such} END");
    (format!("{field}{bound}"), sql)
}

fn component(chance: &mut Chance) -> (String, String) {
    let kind = chance.one(&["plugin", "theme"]);
    let slugs = chance.one(&SLUGS);
    let there = format!(
        "EXISTS (SELECT 1 FROM components c WHERE c.environment_id = e.id \
         AND c.kind = '{kind}' AND c.slug IN {}",
        list(slugs)
    );
    let slug = value(chance.one(slugs));
    if chance.below(3) == 0 {
        let sql = format!("CASE WHEN e.inspected_at IS NULL THEN NULL ELSE {there}) END");
        return (format!("{kind}:{slug}"), sql);
    }
    let (bound, such) = bound(chance);
    let sql = format!(
        "CASE WHEN e.inspected_at IS NULL THEN NULL \
         WHEN {there} AND c.version IN {such}) THEN TRUE \
         WHEN {there} AND c.version = '') THEN NULL ELSE FALSE END"
    );
    (format!("{kind}:{slug}{bound}"), sql)
}

fn updates(chance: &mut Chance) -> (String, String) {
    let count = chance.below(6);
    let sign = chance.one(&SIGNS);
    let counted = |which: &str| {
        format!(
            "(SELECT COUNT(*) FROM components c WHERE c.environment_id = e.id \
             AND c.kind IN ('plugin', 'theme') AND ({which}))"
        )
    };
    let least = counted("c.new_version IS NOT NULL");
    let most = counted("c.new_version IS NOT NULL OR c.offer_unknown IS NOT NULL");
    let (yes, no) = match sign {
        "<" => (format!("{most} < {count}"), format!("{least} >= {count}")),
        "<=" => (format!("{most} <= {count}"), format!("{least} > {count}")),
        ">" => (format!("{least} > {count}"), format!("{most} <= {count}")),
        ">=" => (format!("{least} >= {count}"), format!("{most} < {count}")),
        _ => {
            let is = format!("{least} = {count} AND {most} = {count}");
            let is_not = format!("{least} > {count} OR {most} < {count}");
            if sign == "=" {
                (is, is_not)
            } else {
                (is_not, is)
            }
        }
    };
    let sql = format!(
        "CASE WHEN e.inspected_at IS NULL THEN NULL WHEN {yes} THEN TRUE WHEN {no} THEN FALSE \
         ELSE NULL END"
    );
    (format!("updates{sign}{count}"), sql)
}

fn snapshot(chance: &mut Chance) -> (String, String) {
    let hours = chance.below(50);
    let sign = chance.one(&["<", "<=", ">=", ">"]);
    let then =
        pressroom_base::Timestamp::now().millis() - 3_600_000 * i64::try_from(hours).unwrap();
    // Older is earlier.
    let turned = match sign {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        _ => "<=",
    };
    let never = if sign.starts_with('>') {
        "TRUE"
    } else {
        "FALSE"
    };
    let sql = format!(
        "COALESCE((SELECT MAX(n.created_at) FROM snapshots n WHERE n.environment_id = e.id \
         AND n.state = 'ready' AND n.contents = 'full' AND n.fault IS NULL) {turned} {then}, {never})"
    );
    (format!("snapshot{sign}{hours}h"), sql)
}
