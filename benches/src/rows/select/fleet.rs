//! A fleet of 10,000 environments with 40 components each, the same at every run.

use super::{COMPONENTS, ENVIRONMENTS};
use anyhow::{Context, Result};
use pressroom_base::{
    Timestamp,
    id::{AccountId, UserId},
    keyring::Keyring,
};
use pressroom_fleet::{
    Caller, Fleet, Parts,
    principal::{Grants, Identity, Principal, Role},
    selector::{ComponentFacts, ComponentKind, Facts, Offer},
};
use pressroom_store::{EnvironmentKind, EnvironmentState, Scope, Store, components};
use sqlx::{SqlitePool, sqlite::SqliteConnectOptions};
use std::time::Duration;
use tempfile::TempDir;

const ACCOUNTS: usize = 200;

/// What a scan is told of an environment.
pub type Known = Facts;

pub struct Bench {
    pub fleet: Fleet,
    /// The same database, without the store's code.
    pub pool: SqlitePool,
    store: Store,
    _dir: TempDir,
}

impl Bench {
    pub async fn make() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let file = dir.path().join("pressroom.db");
        let keyring = Keyring::parse(Keyring::generate().expose())?;
        let store = Store::open(&format!("sqlite://{}", file.display()), keyring).await?;
        let options = SqliteConnectOptions::new()
            .filename(&file)
            .busy_timeout(Duration::from_secs(10));
        let pool = sqlx::sqlite::SqlitePoolOptions::new()
            .max_connections(4)
            .connect_with(options)
            .await?;
        fill(&pool).await?;
        Ok(Self {
            fleet: Fleet::new(Parts::below(dir.path(), store.clone())?),
            pool,
            store,
            _dir: dir,
        })
    }

    /// Reads all rows that a picture is made of, and makes none.
    pub async fn everything(&self) -> Result<()> {
        components::versions(&self.store, &Scope::All).await?;
        Ok(())
    }

    /// Gives one site another version of its first plugin, as an update does.
    pub async fn update_a_plugin(&self, number: usize) -> Result<String> {
        let version = format!("77.{number}");
        sqlx::query(
            "UPDATE components SET version = ? WHERE slug = 'plug-0' AND environment_id = \
             (SELECT environment_id FROM components WHERE slug = 'plug-0' \
             ORDER BY environment_id LIMIT 1 OFFSET ?)",
        )
        .bind(&version)
        .bind(i64::try_from(number)?)
        .execute(&self.pool)
        .await?;
        Ok(version)
    }

    /// Somebody of the first accounts.
    pub fn member(of: i64) -> Caller {
        Caller::new(Principal {
            identity: Identity::User {
                id: UserId::new(1),
                email: "bench@press.example".into(),
                operator: false,
                token: None,
                session: None,
                family: None,
            },
            grants: Grants::All,
            memberships: (1..=of)
                .map(|id| (AccountId::new(id), Role::Viewer))
                .collect(),
            account: None,
        })
    }
}

/// Facts as one might keep them: a vector.
pub fn facts() -> Vec<Known> {
    sites().collect()
}

/// Writes the fleet with plain statements: through the store it would take minutes.
async fn fill(pool: &SqlitePool) -> Result<()> {
    let now = Timestamp::now().millis();
    let mut tx = pool.begin().await?;
    for number in 1..=ACCOUNTS {
        let name = format!("acme-{number}");
        sqlx::query("INSERT INTO accounts (id, name, name_folded, prefix, capabilities, created_at) VALUES (?, ?, ?, ?, '', ?)")
            .bind(i64::try_from(number)?)
            .bind(&name)
            .bind(&name)
            .bind(&name)
            .bind(now)
            .execute(&mut *tx)
            .await
            .context("an account")?;
    }
    for (number, site) in sites().enumerate() {
        let id = i64::try_from(number)? + 1;
        let account = i64::try_from(number % ACCOUNTS)? + 1;
        sqlx::query("INSERT INTO sites (id, account_id, public_id, name, created_at) VALUES (?, ?, ?, ?, ?)")
            .bind(id)
            .bind(account)
            .bind(format!("site-{id}"))
            .bind(format!("site-{number}"))
            .bind(now)
            .execute(&mut *tx)
            .await
            .context("a site")?;
        sqlx::query(
            "INSERT INTO environments (id, site_id, account_id, kind, panel_id, root, path, url, state, db_name, db_user, db_host, table_prefix, core_version, locale, title, php_version, multisite, debug, inspected_at, created_at) \
             VALUES (?, ?, ?, ?, ?, ?, 'public_html', ?, ?, 'db', 'db', 'localhost', 'wp_', ?, 'en_US', '', ?, 0, 0, ?, ?)",
        )
        .bind(id)
        .bind(id)
        .bind(account)
        .bind(site.kind.as_str())
        .bind(format!("wp_{number:09x}"))
        .bind(format!("/sites/{number}"))
        .bind(format!("https://site-{number}.example"))
        .bind(site.state.as_str())
        .bind(site.core.unwrap_or_default())
        .bind(site.php.unwrap_or_default())
        // Looked at just now: nothing is refreshed behind an answer.
        .bind(now + 3_600_000)
        .bind(now)
        .execute(&mut *tx)
        .await
        .context("an environment")?;
        for component in site.components.unwrap_or_default() {
            let kind = if component.kind == ComponentKind::Plugin {
                "plugin"
            } else {
                "theme"
            };
            let (newer, unknown) = match component.offer {
                Offer::Newer => (Some("99.0"), None),
                Offer::Unknown => (None, Some("its vendor does not answer")),
                Offer::None => (None, None),
            };
            sqlx::query(
                "INSERT INTO components (environment_id, kind, place, slug, file, name, version, status, new_version, offer_unknown, author, description) \
                 VALUES (?, ?, 'normal', ?, 'file.php', 'A component of a site', ?, 'active', ?, ?, 'Somebody', 'What it is for, in a sentence or two.')",
            )
            .bind(id)
            .bind(kind)
            .bind(component.slug)
            .bind(component.version)
            .bind(newer)
            .bind(unknown)
            .execute(&mut *tx)
            .await
            .context("a component")?;
        }
        if let Some(at) = site.snapshot {
            sqlx::query(
                "INSERT INTO snapshots (public_id, environment_id, account_id, format, state, size, wordpress_version, note, store, object_key, created_at, contents, panel_id, domain) \
                 VALUES (?, ?, ?, 'tar.zst', 'ready', 1, '', '', 'directory', ?, ?, 'full', '', '')",
            )
            .bind(format!("snap-{id}"))
            .bind(id)
            .bind(account)
            .bind(format!("snap-{id}"))
            .bind(at.millis())
            .execute(&mut *tx)
            .await
            .context("a snapshot")?;
        }
        for tag in site.tags {
            sqlx::query(
                "INSERT INTO environment_tags (environment_id, tag, created_at) VALUES (?, ?, ?)",
            )
            .bind(id)
            .bind(tag)
            .bind(now)
            .execute(&mut *tx)
            .await
            .context("a tag")?;
        }
    }
    Ok(tx.commit().await?)
}

/// The fleet: few plugins are at many sites, many at few.
fn sites() -> impl Iterator<Item = Facts> {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let now = Timestamp::now().millis();
    (0..ENVIRONMENTS).map(move |number| {
        let mut components: Vec<ComponentFacts> = Vec::with_capacity(COMPONENTS);
        let shop = dice.below(10) < 3;
        while components.len() < COMPONENTS {
            let theme = components.len() >= COMPONENTS - 4;
            let slug = match (components.len(), theme) {
                (0, _) if shop => "woocommerce".to_owned(),
                (_, true) => format!("theme-{}", dice.below(60)),
                // The product of three dice leans towards the small numbers.
                _ => format!("plug-{}", dice.below(13) * dice.below(13) * dice.below(13)),
            };
            if components.iter().any(|other| other.slug == slug) {
                continue;
            }
            let version = format!("{}.{}.{}", dice.below(12), dice.below(10), dice.below(8));
            components.push(ComponentFacts {
                kind: if theme {
                    ComponentKind::Theme
                } else {
                    ComponentKind::Plugin
                },
                slug,
                version: Some(version),
                offer: match dice.below(400) {
                    0..=5 => Offer::Newer,
                    6..=7 => Offer::Unknown,
                    _ => Offer::None,
                },
            });
        }
        let php = ["7.4.33", "8.0.30", "8.1.27", "8.2.20", "8.3.6"][dice.below(5)];
        let core = format!("6.{}.{}", dice.below(7), dice.below(5));
        let hours = i64::try_from(dice.below(60)).unwrap_or_default();
        Facts {
            kind: match dice.below(10) {
                0 => EnvironmentKind::Clone,
                1 | 2 => EnvironmentKind::Staging,
                _ => EnvironmentKind::Production,
            },
            state: if dice.below(50) == 0 {
                EnvironmentState::Broken
            } else {
                EnvironmentState::Active
            },
            // The fleet was never looked at: what the other side knows is not asked for.
            health: None,
            accounts: vec![format!("acme-{}", number % ACCOUNTS + 1)],
            domains: vec![format!("site-{number}.example")],
            sites: vec![format!("site-{number}"), format!("wp_{number:09x}")],
            hosts: vec!["local".to_owned()],
            tags: [(shop, "shop"), (dice.below(20) == 0, "vip")]
                .into_iter()
                .filter(|(has, _)| *has)
                .map(|(_, tag)| tag.to_owned())
                .collect(),
            core: (dice.below(100) > 0).then_some(core),
            php: (dice.below(100) > 0).then(|| php.to_owned()),
            components: Some(components),
            // Half an hour off, so that no run comes to an edge.
            snapshot: (dice.below(10) > 0)
                .then(|| Timestamp::from_millis(now - hours * 3_600_000 - 1_800_000)),
        }
    })
}

/// The same numbers at every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or_default() % end
    }
}

/// Bytes of this process that are in memory.
pub fn resident() -> Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next());
    Ok(kilobytes.context("no VmRSS")?.parse::<usize>()? * 1024)
}
