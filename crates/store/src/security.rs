//! Which sites are to be protected however they are served, and what was last seen of
//! their files.

use crate::{Read, Result, Tx, sql};
use pressroom_base::{
    Timestamp,
    id::{DomainId, EnvironmentId},
};

/// What is kept of one site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SecurityRow {
    /// Whether its files are to be protected.
    pub file_protection: bool,
    /// The mode that `wp-config.php` had before it was.
    pub config_mode: Option<u32>,
    /// How its files stood to their packages, and when; `None` when nobody looked.
    pub files: Option<(String, Timestamp)>,
}

/// What is kept of a site; nothing wanted and nothing seen where there is no row.
pub async fn get(from: &impl Read, environment: EnvironmentId) -> Result<SecurityRow> {
    let found = sql::one(
        from,
        "SELECT file_protection, config_mode, files, files_checked_at FROM site_security \
         WHERE environment_id = $1",
        [environment.get().into()],
    )
    .await?;
    let Some(row) = found else {
        return Ok(SecurityRow::default());
    };
    let mode: Option<i64> = row.try_get("", "config_mode")?;
    let files: Option<String> = row.try_get("", "files")?;
    let at: Option<i64> = row.try_get("", "files_checked_at")?;
    Ok(SecurityRow {
        file_protection: row.try_get("", "file_protection")?,
        config_mode: mode.and_then(|mode| u32::try_from(mode).ok()),
        files: files.zip(at.map(Timestamp::from_millis)),
    })
}

/// Records whether a site's files are to be protected, and the mode that its
/// configuration had before.
pub async fn set_file_protection(
    tx: &Tx,
    environment: EnvironmentId,
    wanted: bool,
    config_mode: Option<u32>,
) -> Result<()> {
    sql::run(
        tx,
        "INSERT INTO site_security (environment_id, file_protection, config_mode) \
         VALUES ($1, $2, $3) ON CONFLICT (environment_id) DO UPDATE \
         SET file_protection = excluded.file_protection, config_mode = excluded.config_mode",
        [
            environment.get().into(),
            wanted.into(),
            config_mode.map(i64::from).into(),
        ],
    )
    .await?;
    Ok(())
}

/// Records how a site's files were just seen to stand to their packages.
pub async fn saw_files(tx: &Tx, environment: EnvironmentId, files: &str) -> Result<()> {
    let now = tx.now().await?;
    sql::run(
        tx,
        "INSERT INTO site_security (environment_id, file_protection, files, files_checked_at) \
         VALUES ($1, $2, $3, $4) ON CONFLICT (environment_id) DO UPDATE \
         SET files = excluded.files, files_checked_at = excluded.files_checked_at",
        [
            environment.get().into(),
            false.into(),
            files.into(),
            now.millis().into(),
        ],
    )
    .await?;
    Ok(())
}

/// The sites of a domain whose files are to be protected.
pub async fn protected_in(from: &impl Read, domain: DomainId) -> Result<Vec<EnvironmentId>> {
    let rows = sql::all(
        from,
        "SELECT s.environment_id FROM site_security s \
         JOIN environments e ON e.id = s.environment_id \
         WHERE e.domain_id = $1 AND s.file_protection = $2 ORDER BY s.environment_id",
        [domain.get().into(), true.into()],
    )
    .await?;
    rows.iter()
        .map(|row| Ok(EnvironmentId::new(row.try_get("", "environment_id")?)))
        .collect()
}
