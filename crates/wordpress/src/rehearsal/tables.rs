//! The tables of a clone: copied by the server itself, under a prefix of their own.

use crate::{
    Error, Result,
    cage::{gate::statement::Territory, record::Record},
    config::Settings,
    database::{
        Connection,
        client::{Client, literal, quoted},
        dump::{RelationKind, columns, primary_key, relations, strip_definer, triggers_of},
        share::Share,
        sql::{Kind, Server, Tokens, unwrap_comments},
        working,
    },
    fence,
    home::Home,
    watch::Watch,
};
use std::collections::BTreeMap;

/// The longest name of a table, in characters.
const LONGEST: usize = 64;
/// Rows in one statement, where a key tells them apart.
const AT_ONCE: u32 = 20_000;

/// What is to be copied.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Live names and those in the clone; tables first.
    pub names: Vec<(String, String)>,
    /// How many of them are tables.
    pub tables: usize,
    /// Bytes of rows and indexes, as the server estimates them.
    pub bytes: u64,
    /// Where the server keeps them, when that is this machine.
    pub directory: Option<String>,
    /// What is not copied.
    pub dropped: Vec<String>,
}

/// Looks at what there is.
pub(super) fn plan(
    client: &mut Client,
    connection: &Connection,
    settings: &Settings,
    prefix: &str,
) -> Result<Plan> {
    let mode: Option<String> = client.first("SELECT @@GLOBAL.sql_mode")?;
    let mode = mode.unwrap_or_default();
    if mode.contains("ANSI_QUOTES") || mode.contains("NO_BACKSLASH_ESCAPES") {
        return Err(Error::Database(format!(
            "its mode is `{mode}`, in which the statements of a rehearsal cannot be read safely"
        )));
    }
    let found = relations(client)?;
    let live = connection.prefix();
    let share = Share::new(live, found.iter().map(|one| one.name.as_str()));
    let mut plan = Plan::default();
    let mut views = Vec::new();
    let users = [
        (settings.custom_user_table.value(), "users"),
        (settings.custom_user_meta_table.value(), "usermeta"),
    ];
    let own = |name: &str| users.iter().find(|(custom, _)| *custom == Some(name));
    for relation in &found {
        let name = &relation.name;
        let ours = share.holds(name) && working::parse(name).is_none();
        let copy = match own(name) {
            Some((_, usual)) => format!("{prefix}{usual}"),
            // Another site's, in whose place a table of another name is used.
            None if users
                .iter()
                .any(|(custom, usual)| custom.is_some() && *name == format!("{live}{usual}")) =>
            {
                continue;
            }
            None if ours => format!("{prefix}{}", &name[live.len()..]),
            None => continue,
        };
        if copy.chars().count() > LONGEST {
            plan.dropped.push(format!(
                "table {name} (its name is too long for another prefix)"
            ));
            continue;
        }
        match relation.kind {
            RelationKind::Table | RelationKind::Versioned if !relation.engine.is_empty() => {
                plan.names.push((name.clone(), copy));
            }
            RelationKind::Table | RelationKind::Versioned => {
                plan.dropped
                    .push(format!("table {name} (the server cannot open it)"));
            }
            RelationKind::Sequence => plan.dropped.push(format!("sequence {name}")),
            RelationKind::View => views.push((name.clone(), copy)),
        }
    }
    plan.tables = plan.names.len();
    let sources: Vec<String> = plan.names.iter().map(|(name, _)| literal(name)).collect();
    if sources.is_empty() {
        return Err(Error::Database(format!(
            "no table begins with `{live}`, the prefix of this site"
        )));
    }
    let bytes: Option<Option<u64>> = client.first(format!(
        "SELECT CAST(SUM(DATA_LENGTH + INDEX_LENGTH) AS UNSIGNED) FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN ({})",
        sources.join(", ")
    ))?;
    plan.bytes = bytes.flatten().unwrap_or(0);
    plan.directory = client.first("SELECT @@datadir").unwrap_or_default();
    plan.names.extend(views);
    Ok(plan)
}

/// Copies what the record names; what of it could not be copied.
pub(super) fn copy(
    home: &Home,
    client: &mut Client,
    record: &Record,
    tables: usize,
    watch: &Watch,
) -> Result<Vec<String>> {
    let mut dropped = Vec::new();
    // Nobody waits for us: rows are read as they were last committed, without locks.
    client.run("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")?;
    client.run(
        "SET SESSION lock_wait_timeout = 30, foreign_key_checks = 0, unique_checks = 0, \
         sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES,NO_ENGINE_SUBSTITUTION'",
    )?;
    let pairs = record.sources.iter().zip(&record.tables);
    for (from, to) in pairs.clone().take(tables) {
        fence::check(home, record.epoch, watch)?;
        client.run(format!("CREATE TABLE {} LIKE {}", quoted(to), quoted(from)))?;
        rows(client, from, to, watch)?;
        let triggers = triggers_of(client, from)?;
        // They run inside the server, past the gate.
        dropped.extend(triggers.iter().map(|one| format!("trigger {}", one.name)));
    }
    for (from, to) in pairs.skip(tables) {
        if let Err(why) = view(client, record, from, to) {
            watch.check()?;
            dropped.push(format!("view {from} ({why})"));
        }
    }
    rename_keys(client, record)?;
    Ok(dropped)
}

fn rows(client: &mut Client, from: &str, to: &str, watch: &Watch) -> Result<()> {
    let stored: Vec<String> = columns(client, from)?
        .into_iter()
        .filter(|column| !column.generated)
        .map(|column| quoted(&column.name))
        .collect();
    let names = stored.join(", ");
    let (from_name, to_name) = (quoted(from), quoted(to));
    let key = match primary_key(client, from)?.as_slice() {
        [one] if is_integer(client, from, one)? => quoted(one),
        _ => {
            client.run(format!(
                "INSERT INTO {to_name} ({names}) SELECT {names} FROM {from_name}"
            ))?;
            return Ok(());
        }
    };
    let mut after: Option<String> = None;
    loop {
        watch.check()?;
        let beyond = after
            .as_ref()
            .map(|after| format!("WHERE {key} > {after}"))
            .unwrap_or_default();
        let last: Option<Option<String>> = client.first(format!(
            "SELECT CAST(MAX({key}) AS CHAR) FROM (SELECT {key} FROM {from_name} {beyond} \
             ORDER BY {key} LIMIT {AT_ONCE}) one"
        ))?;
        let Some(last) = last.flatten() else {
            return Ok(());
        };
        // It is put into a statement again.
        if !last
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'-')
        {
            return Err(Error::Database(format!("`{last}` is no key")));
        }
        let from_here = if beyond.is_empty() {
            "WHERE".to_owned()
        } else {
            format!("{beyond} AND")
        };
        client.run(format!(
            "INSERT INTO {to_name} ({names}) SELECT {names} FROM {from_name} {from_here} {key} <= {last}"
        ))?;
        after = Some(last);
    }
}

fn is_integer(client: &mut Client, table: &str, column: &str) -> Result<bool> {
    let found = columns(client, table)?;
    Ok(found
        .iter()
        .any(|one| one.name == column && one.data_type.ends_with("int")))
}

/// A view over the clone's own tables, if it is over nothing else.
fn view(client: &mut Client, record: &Record, from: &str, to: &str) -> Result<()> {
    let shown: Option<(String, String, String, String)> =
        client.first(format!("SHOW CREATE VIEW {}", quoted(from)))?;
    let Some((_, text, ..)) = shown else {
        return Err(Error::Missing(from.to_owned()));
    };
    let version = client.version();
    let server = Server {
        mariadb: true,
        version: u32::from(version.0) * 10_000 + u32::from(version.1) * 100 + u32::from(version.2),
    };
    let text = unwrap_comments(text.as_bytes(), server)?.into_owned();
    let text = strip_definer(&text).unwrap_or(text);
    let copies: BTreeMap<&str, &str> = record
        .sources
        .iter()
        .map(String::as_str)
        .zip(record.tables.iter().map(String::as_str))
        .chain([(from, to)])
        .collect();
    let mut out = Vec::with_capacity(text.len());
    let mut kept = 0;
    for token in Tokens::of(&text) {
        let named = (token.kind == Kind::Name).then(|| token.name()).flatten();
        let copy = if token.is("DEFINER") {
            // With whose rights its rows are read: those of who reads.
            Some("INVOKER".to_owned())
        } else {
            named
                .and_then(|name| copies.get(name.as_str()).copied())
                .map(quoted)
        };
        if let Some(copy) = copy {
            out.extend_from_slice(&text[kept..token.start]);
            out.extend_from_slice(copy.as_bytes());
            kept = token.end();
        }
    }
    out.extend_from_slice(&text[kept..]);
    let territory = Territory {
        prefix: record.prefix.clone(),
        database: record.database.clone(),
        live: record
            .sources
            .iter()
            .map(|name| name.to_lowercase())
            .collect(),
        server,
    };
    territory
        .judge(&out)
        .map_err(|refused| Error::Database(format!("it names {}", refused.what)))?;
    client.run(&out)?;
    Ok(())
}

/// What WordPress writes its prefix into: roles, and what users are and prefer, of every
/// site of a network.
fn rename_keys(client: &mut Client, record: &Record) -> Result<()> {
    let (from, to) = (&record.live_prefix, &record.prefix);
    for table in &record.tables {
        let rest = &table[to.len()..];
        let Some(site) = rest.strip_suffix("options") else {
            continue;
        };
        if !site
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'_')
        {
            continue;
        }
        client.run(format!(
            "UPDATE {} SET option_name = {} WHERE option_name = {}",
            quoted(table),
            literal(&format!("{to}{site}user_roles")),
            literal(&format!("{from}{site}user_roles")),
        ))?;
    }
    let meta = format!("{to}usermeta");
    if record.tables.contains(&meta) {
        // A prefix is ASCII: as many characters as bytes.
        client.run(format!(
            "UPDATE {} SET meta_key = CONCAT({}, SUBSTRING(meta_key, {})) \
             WHERE BINARY LEFT(meta_key, {}) = BINARY {}",
            quoted(&meta),
            literal(to),
            from.len() + 1,
            from.len(),
            literal(from)
        ))?;
    }
    Ok(())
}

/// Removes tables and views by their names, and looks that none is left. Statements of a
/// dead session that still run are ended.
pub(super) fn remove(client: &mut Client, record: &Record, names: &[String]) -> Result<()> {
    client.run("SET SESSION lock_wait_timeout = 10, foreign_key_checks = 0")?;
    let own = client.id();
    let pattern = literal(&format!("%{}%", record.prefix.replace('_', "\\_")));
    let running: Vec<u64> = client
        .rows(format!(
            "SELECT CAST(ID AS UNSIGNED) FROM information_schema.PROCESSLIST \
             WHERE ID <> {own} AND USER = SUBSTRING_INDEX(CURRENT_USER(), '@', 1) AND INFO LIKE {pattern}"
        ))
        .unwrap_or_default();
    for id in running {
        // It may have ended meanwhile.
        let _ = client.run(format!("KILL {id}"));
    }
    let there: Vec<(String, String)> = client.rows(format!(
        "SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE {}",
        literal(&format!("{}%", record.prefix.replace('_', "\\_")))
    ))?;
    for (name, kind) in &there {
        if names.contains(name) {
            let kind = if kind.contains("VIEW") {
                "VIEW"
            } else {
                "TABLE"
            };
            client.run(format!("DROP {kind} IF EXISTS {}", quoted(name)))?;
        }
    }
    let left: Vec<String> = client.rows(format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME LIKE {}",
        literal(&format!("{}%", record.prefix.replace('_', "\\_")))
    ))?;
    if left.is_empty() {
        return Ok(());
    }
    Err(Error::Database(format!(
        "tables of the rehearsal `{}` are still there: {}",
        record.handle,
        left.join(", ")
    )))
}
