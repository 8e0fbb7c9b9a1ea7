//! The sites of a network and what each has active.

use super::lossy;
use crate::{Result, config::Settings};
use mysql_async::{Conn, prelude::Queryable};
use pressroom_phpdata::serialized::{list_keys, list_values};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};

/// A network's own facts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Network {
    /// Its id.
    pub id: u64,
    /// Plugins that are active on every site; `None` when the list is not understood.
    pub active_plugins: Option<Vec<String>>,
    /// Logins that may do everything everywhere; `None` when that is not understood.
    pub super_admins: Option<Vec<String>>,
    /// `ms_files_rewriting`: whether uploads have addresses that begin with `files/`, as
    /// in networks from before WordPress 3.5.
    #[serde(default)]
    pub files_rewriting: bool,
    /// Its sites by rising id, the first [`MAX_BLOGS`].
    pub blogs: Vec<Blog>,
    /// How many there are.
    pub blogs_total: u64,
}

/// One site of a network.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blog {
    /// `blog_id`.
    pub id: u64,
    /// `domain`.
    pub domain: String,
    /// `path`, e.g. `/second/`.
    pub path: String,
    /// Whether it is archived, spam or deleted, and so not served.
    pub closed: bool,
    /// Plugins active on this site itself; `None` when its tables are not there or
    /// the list is not understood.
    pub active_plugins: Option<Vec<String>>,
    /// The active theme.
    pub stylesheet: Option<String>,
    /// The active theme's parent, or itself.
    pub template: Option<String>,
}

/// So many sites are told one by one.
pub const MAX_BLOGS: usize = 5000;
/// So many tables are asked in one statement.
const AT_ONCE: usize = 100;

type BlogRow = (u64, Vec<u8>, Vec<u8>, u8, u8, u8);

pub(super) async fn read(
    conn: &mut Conn,
    prefix: &str,
    settings: &Settings,
    tables: &[String],
) -> Result<Network> {
    let said = settings.site_id_current_site.value();
    let id = match said.and_then(|id| id.parse().ok()) {
        Some(id) => id,
        None => conn
            .query_first::<Option<u64>, _>(format!("SELECT MIN(site_id) FROM `{prefix}sitemeta`"))
            .await?
            .flatten()
            .unwrap_or(1),
    };
    let meta: Vec<(Vec<u8>, Vec<u8>)> = conn
        .exec(
            format!(
                "SELECT meta_key, meta_value FROM `{prefix}sitemeta` \
                 WHERE site_id = ? AND meta_key IN \
                 ('active_sitewide_plugins', 'site_admins', 'ms_files_rewriting')"
            ),
            (id,),
        )
        .await?;
    let meta: BTreeMap<Vec<u8>, Vec<u8>> = meta.into_iter().collect();
    // As with a site's own list, an absent one is empty.
    let stored = |key: &str| meta.get(key.as_bytes()).map_or(&[][..], Vec::as_slice);
    let mut network = Network {
        id,
        active_plugins: list_keys(stored("active_sitewide_plugins")),
        super_admins: list_values(stored("site_admins")),
        files_rewriting: !matches!(stored("ms_files_rewriting"), b"" | b"0"),
        ..Network::default()
    };
    let total: Option<u64> = conn
        .exec_first(
            format!("SELECT COUNT(*) FROM `{prefix}blogs` WHERE site_id = ?"),
            (id,),
        )
        .await?;
    network.blogs_total = total.unwrap_or_default();
    let rows: Vec<BlogRow> = conn
        .exec(
            format!(
                "SELECT blog_id, domain, path, archived = '1', spam = 1, deleted = 1 \
                 FROM `{prefix}blogs` WHERE site_id = ? ORDER BY blog_id LIMIT {MAX_BLOGS}"
            ),
            (id,),
        )
        .await?;
    network.blogs = rows
        .into_iter()
        .map(|(id, domain, path, archived, spam, deleted)| Blog {
            id,
            domain: lossy(&domain),
            path: lossy(&path),
            closed: archived + spam + deleted > 0,
            ..Blog::default()
        })
        .collect();
    let there: HashSet<&str> = tables.iter().map(String::as_str).collect();
    for some in network.blogs.chunks_mut(AT_ONCE) {
        options(conn, prefix, &there, some).await?;
    }
    Ok(network)
}

/// What each of these sites has in its own table of options.
async fn options(
    conn: &mut Conn,
    prefix: &str,
    there: &HashSet<&str>,
    blogs: &mut [Blog],
) -> Result<()> {
    let mut parts = Vec::new();
    for blog in blogs.iter_mut() {
        let table = match blog.id {
            1 => format!("{prefix}options"),
            id => format!("{prefix}{id}_options"),
        };
        if there.contains(table.as_str()) {
            blog.active_plugins = Some(Vec::new());
            parts.push(format!(
                "SELECT CAST({} AS UNSIGNED), option_name, option_value FROM `{table}` \
                 WHERE option_name IN ('active_plugins', 'stylesheet', 'template')",
                blog.id
            ));
        }
    }
    if parts.is_empty() {
        return Ok(());
    }
    let rows: Vec<(u64, Vec<u8>, Vec<u8>)> = conn.query(parts.join(" UNION ALL ")).await?;
    for (id, name, value) in rows {
        let Some(blog) = blogs.iter_mut().find(|blog| blog.id == id) else {
            continue;
        };
        match name.as_slice() {
            b"active_plugins" => blog.active_plugins = list_values(&value),
            b"stylesheet" => blog.stylesheet = Some(lossy(&value)),
            b"template" => blog.template = Some(lossy(&value)),
            _ => {}
        }
    }
    Ok(())
}
