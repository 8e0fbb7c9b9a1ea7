//! What occurs in a random fleet, few enough that selectors hit it, and the plain
//! statements that make and change it.

use pressroom_testkit::chance::Chance;
use std::time::{SystemTime, UNIX_EPOCH};

/// Names that are one when case means nothing.
pub const NAMES: [&[&str]; 5] = [
    &["shop", "Shop", "SHOP"],
    &["müller & söhne", "Müller & Söhne"],
    &["o'neil \"x\""],
    &["店"],
    &["local"],
];

/// Slugs likewise.
pub const SLUGS: [&[&str]; 6] = [
    &["woocommerce", "WooCommerce"],
    &["akismet"],
    &["größe", "Größe"],
    &["a"],
    &["b"],
    &["c d"],
];

/// Host names that are one however they are written.
pub const DOMAINS: [&[&str]; 4] = [
    &["a.example"],
    &["b.example"],
    &["xn--mller-kva.example", "müller.example"],
    &["c.a.example"],
];

pub const TAGS: [&str; 4] = ["shop", "vip", "größe", "eu-west.1"];
pub const KINDS: [&str; 3] = ["production", "staging", "clone"];
pub const STATES: [&str; 4] = ["active", "broken", "installing", "deleting"];

/// Versions in the order of PHP's `version_compare`, those that are equal in one place.
pub const VERSIONS: [&[&str]; 13] = [
    &["1.0-dev"],
    &["1.0-alpha2"],
    &["1.0-RC1", "1.0rc1"],
    &["1.0"],
    &["1.0.0"],
    &["1.0.1"],
    &["1.0-pl1"],
    &["1.2"],
    &["1.9", "1.09"],
    &["1.10"],
    &["1.10.3"],
    &["2"],
    &["10.0"],
];

/// Lower than every one that begins with a digit.
pub const LOWEST: &str = "trunk";

/// How many of each there are, by number from 1 unless told.
pub struct World {
    environments: usize,
    accounts: Vec<i64>,
}

const DOMAIN_ROWS: usize = 4;

pub fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn any<'a>(chance: &mut Chance, pool: &[&[&'a str]]) -> &'a str {
    let group = chance.one(pool);
    chance.one(group)
}

/// A version as a site may tell it; mostly one.
fn version(chance: &mut Chance) -> String {
    match chance.below(8) {
        0 => String::new(),
        1 => LOWEST.to_owned(),
        _ => any(chance, &VERSIONS).to_owned(),
    }
}

fn now() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.unwrap_or_default().as_millis()
}

impl World {
    pub fn new(first_account: i64) -> Self {
        Self {
            environments: 0,
            accounts: vec![first_account, first_account + 1, first_account + 2],
        }
    }

    /// Statements that make a fleet in which there is an account already.
    pub fn founding(&mut self, chance: &mut Chance, environments: usize) -> Vec<String> {
        let mut all = Vec::new();
        for (number, account) in self.accounts.clone().into_iter().enumerate().skip(1) {
            let name = NAMES[number][0];
            all.push(format!(
                "INSERT INTO accounts (id, name, name_folded, prefix, capabilities, created_at) \
                 VALUES ({account}, {}, 'folded-{number}', 'p{number}', '', 0)",
                quoted(name)
            ));
        }
        for number in 0..DOMAIN_ROWS * self.accounts.len() {
            // A domain is one account's alone; the others' have other names.
            let account = self.accounts[number % self.accounts.len()];
            let known = DOMAINS.get(number).and_then(|names| names.first());
            let name = known.map_or_else(|| format!("d{number}.example"), ToString::to_string);
            all.push(format!(
                "INSERT INTO domains (id, account_id, name, root, created_at) \
                 VALUES ({}, {account}, {}, '/domains/{number}', 0)",
                number + 1,
                quoted(&name),
            ));
            all.push(format!(
                "INSERT INTO hosts (id, account_id, label, address, port, login, status, created_at) \
                 VALUES ({}, {account}, {}, {}, {}, 'deploy', 'new', 0)",
                number + 1,
                quoted(any(chance, &NAMES)),
                quoted(any(chance, &DOMAINS)),
                number + 1,
            ));
        }
        for _ in 0..environments {
            all.extend(self.environment(chance));
        }
        all
    }

    /// A new environment with all that belongs to it.
    fn environment(&mut self, chance: &mut Chance) -> Vec<String> {
        self.environments += 1;
        let id = self.environments;
        let at = chance.below(self.accounts.len());
        let account = self.accounts[at];
        // Those of the account: they were dealt out in turn.
        let of_account = at + self.accounts.len() * chance.below(DOMAIN_ROWS) + 1;
        let (domain, host) = match chance.below(3) {
            0 => (of_account.to_string(), "NULL".to_owned()),
            1 => ("NULL".to_owned(), of_account.to_string()),
            _ => ("NULL".to_owned(), "NULL".to_owned()),
        };
        let seen = if chance.below(6) == 0 {
            "NULL".to_owned()
        } else {
            now().to_string()
        };
        let state = if chance.below(20) == 0 {
            "failed"
        } else {
            chance.one(&STATES)
        };
        let url = match chance.below(12) {
            0 => "not an address".to_owned(),
            _ => format!("https://{}", any(chance, &DOMAINS)),
        };
        let mut all = vec![
            format!(
                "INSERT INTO sites (id, account_id, public_id, name, created_at) \
                 VALUES ({id}, {account}, 'site-{id}', {}, 0)",
                quoted(any(chance, &NAMES))
            ),
            format!(
                "INSERT INTO environments (id, site_id, account_id, domain_id, host_id, kind, \
                 panel_id, root, path, url, state, db_name, db_user, db_host, table_prefix, \
                 core_version, locale, title, php_version, multisite, debug, inspected_at, \
                 created_at) VALUES ({id}, {id}, {account}, {domain}, {host}, '{}', 'wp_{id}', \
                 '/{}/{id}', '', {}, '{state}', '', '', '', 'wp_', {}, '', '', {}, FALSE, FALSE, \
                 {seen}, 0)",
                chance.one(&KINDS),
                chance.below(9),
                quoted(&url),
                quoted(&version(chance)),
                quoted(&version(chance)),
            ),
        ];
        for place in ["normal", "must_use", "drop_in"] {
            for slug in SLUGS {
                if chance.below(3) == 0 {
                    all.push(component(chance, id, place, slug));
                }
            }
        }
        for tag in TAGS {
            if chance.below(4) == 0 {
                all.push(tagged(id, tag));
            }
        }
        if chance.below(3) > 0 {
            all.push(snapshot(chance, id, account));
        }
        all
    }

    /// Something that may happen.
    pub fn change(&mut self, chance: &mut Chance) -> String {
        let id = chance.below(self.environments) + 1;
        let set = match chance.below(14) {
            0 => return self.environment(chance).join("; "),
            1 => return format!("DELETE FROM environments WHERE id = {id}"),
            2 => format!(
                "SET state = '{}'",
                chance.one(&["failed", "active", "broken"])
            ),
            3 => format!("SET php_version = {}", quoted(&version(chance))),
            4 => format!("SET core_version = {}", quoted(&version(chance))),
            5 => format!("SET inspected_at = {}", chance.one(&["NULL", "5"])),
            6 => format!("SET kind = '{}'", chance.one(&KINDS)),
            7 => format!(
                "SET url = {}",
                quoted(&format!("https://{}", any(chance, &DOMAINS)))
            ),
            8 => {
                let account = chance.one(&self.accounts);
                let name = quoted(any(chance, &NAMES));
                return format!("UPDATE accounts SET name = {name} WHERE id = {account}");
            }
            9 => {
                let name = quoted(any(chance, &NAMES));
                return format!("UPDATE sites SET name = {name} WHERE id = {id}");
            }
            10 => {
                let host = chance.below(DOMAIN_ROWS * self.accounts.len()) + 1;
                let label = quoted(any(chance, &NAMES));
                return format!("UPDATE hosts SET label = {label} WHERE id = {host}");
            }
            11 => {
                let domain = chance.below(DOMAIN_ROWS * self.accounts.len()) + 1;
                return format!(
                    "UPDATE domains SET name = 'e{}.example' WHERE id = {domain}",
                    chance.below(1_000_000_000)
                );
            }
            12 => {
                return format!(
                    "UPDATE components SET version = {}, new_version = {}, offer_unknown = {} \
                     WHERE environment_id = {id} AND slug = {}; \
                     DELETE FROM components WHERE environment_id = {id} AND slug = 'akismet'; \
                     DELETE FROM environment_tags WHERE environment_id = {id}",
                    quoted(&version(chance)),
                    chance.one(&["NULL", "'9'"]),
                    chance.one(&["NULL", "'no answer'"]),
                    quoted(any(chance, &SLUGS)),
                );
            }
            _ => {
                return format!(
                    "UPDATE snapshots SET {} WHERE environment_id = {id}",
                    chance.one(&[
                        "fault = 'torn'",
                        "fault = NULL",
                        "state = 'expired'",
                        "created_at = created_at - 7200000",
                        "contents = 'database'",
                    ])
                );
            }
        };
        format!("UPDATE environments {set} WHERE id = {id}")
    }
}

fn component(chance: &mut Chance, id: usize, place: &str, slugs: &[&str]) -> String {
    format!(
        "INSERT INTO components (environment_id, kind, place, slug, file, name, version, status, \
         new_version, offer_unknown, author, description) \
         VALUES ({id}, '{}', '{place}', {}, '', '', {}, 'active', {}, {}, '', '')",
        chance.one(&["plugin", "plugin", "theme", "other"]),
        quoted(chance.one(slugs)),
        quoted(&version(chance)),
        chance.one(&["NULL", "NULL", "'9'"]),
        chance.one(&["NULL", "NULL", "'no answer'"]),
    )
}

fn tagged(id: usize, tag: &str) -> String {
    let tag = quoted(tag);
    format!(
        "INSERT INTO environment_tags (environment_id, tag, created_at) VALUES ({id}, {tag}, 0)"
    )
}

/// Half an hour off, so that no question comes while its age turns.
fn snapshot(chance: &mut Chance, id: usize, account: i64) -> String {
    let at = now() - 3_600_000 * chance.below(50) as u128 - 1_800_000;
    let contents = chance.one(&["full", "full", "database"]);
    let state = chance.one(&["ready", "ready", "ready", "creating"]);
    let fault = chance.one(&["NULL", "NULL", "NULL", "'torn'"]);
    format!(
        "INSERT INTO snapshots (public_id, environment_id, account_id, format, state, size, \
         wordpress_version, note, store, object_key, fault, created_at, contents) \
         VALUES ('snap-{id}', {id}, {account}, 'tar.zst', '{state}', 1, '', '', 'directory', \
         'snap-{id}', {fault}, {at}, '{contents}')"
    )
}
