//! Looking at a site's files, package by package.

use super::{Verdict, Verification, Verified};
use crate::{Caller, Error, Fleet, Result, authorize::Action};
use pressroom_agent::protocol::RefusalCode;
use pressroom_base::{Kind, id::EnvironmentId};
use pressroom_carrier::Session;
use pressroom_providers::packages::{self, Package, PackageKind};
use pressroom_store::{EnvironmentRow, security};
use pressroom_wordpress::{
    checksums::{Expected, Subject, expected_from_zip},
    component::ComponentKind,
    inventory::{FoundComponent, Inspection, Place, UpdateSource},
    watch::Watch,
};
use std::{fs::File, io::BufReader};
use tokio_util::sync::CancellationToken;

/// What to look at.
#[derive(Debug, Clone, Copy)]
pub struct VerifySite {
    /// WordPress itself, without `wp-content`.
    pub core: bool,
    /// Plugins, must-use plugins and drop-ins.
    pub plugins: bool,
    /// Themes.
    pub themes: bool,
}

impl VerifySite {
    /// Everything there are packages for.
    pub const ALL: Self = Self {
        core: true,
        plugins: true,
        themes: true,
    };
}

impl Fleet {
    /// Holds a site's files against the packages of the very versions it says it has,
    /// as this server's sources have them; the site's own word on its files counts for
    /// nothing. What no source has is [`Verdict::Unknown`].
    ///
    /// Errors: `NotFound`, `Forbidden`, `Unreachable`, `Remote`.
    pub async fn verify_site(
        &self,
        caller: &Caller,
        environment: EnvironmentId,
        verify: VerifySite,
    ) -> Result<Verification> {
        let row = self
            .environment_row(caller, Action::SiteRead, environment)
            .await?
            .env;
        let ground = self.ground(&row).await?;
        let session = self.open_session(&ground, CancellationToken::new()).await?;
        let inspection = session.inspect(&row.path).await?;
        let look = Look {
            fleet: self,
            session: &session,
            row: &row,
        };
        let mut subjects = Vec::new();
        if verify.core {
            subjects.push(look.core(&inspection).await?);
        }
        for kind in [ComponentKind::Plugin, ComponentKind::Theme] {
            let wanted = match kind {
                ComponentKind::Plugin => verify.plugins,
                ComponentKind::Theme => verify.themes,
            };
            let found = inspection.components.iter();
            for found in found.filter(|found| wanted && found.kind == kind) {
                subjects.push(look.component(found).await?);
            }
        }
        let found = Verification { subjects };
        if verify.core {
            self.remember(&row, &found).await;
        }
        Ok(found)
    }

    /// Keeps the verdict for whoever asks how the site stands; one that cannot be kept
    /// is told all the same.
    async fn remember(&self, row: &EnvironmentRow, found: &Verification) {
        let kept = async {
            let tx = self.parts.store.begin().await?;
            security::saw_files(&tx, row.id, found.status()).await?;
            tx.commit().await
        };
        if let Err(error) = kept.await {
            tracing::warn!(environment.id = %row.id, %error, "the state of the site's files is not kept");
        }
    }
}

struct Look<'a> {
    fleet: &'a Fleet,
    session: &'a Session,
    row: &'a EnvironmentRow,
}

impl Look<'_> {
    async fn core(&self, inspection: &Inspection) -> Result<Verified> {
        let slug = PackageKind::CORE_SLUG.to_owned();
        let version = inspection.version.clone().unwrap_or_default();
        let unknown = |why| {
            Ok(Verified::unknown(
                "core",
                slug.clone(),
                version.clone(),
                why,
            ))
        };
        if version.is_empty() {
            return unknown("its version cannot be read".to_owned());
        }
        let locale = inspection.locale.as_str();
        let packages = &self.fleet.parts.packages;
        let package = match exactly(&version, packages.core(Some(&version), locale).await)? {
            Ok(package) => package,
            Err(why) => return unknown(why),
        };
        let verified = self
            .compare("core", &slug, &version, Subject::Core, &package)
            .await?;
        if verified.verdict == Verdict::Differs && package.locale != locale {
            // A translated package has files of its own: what differs says nothing.
            return unknown(format!(
                "no package source has WordPress {version} in `{locale}`, only in `{}`",
                package.locale
            ));
        }
        Ok(verified)
    }

    async fn component(&self, found: &FoundComponent) -> Result<Verified> {
        let kind = kind_of(found);
        let (slug, version) = (found.slug.as_str(), found.version.as_str());
        let unknown = |why| {
            Ok(Verified::unknown(
                kind,
                slug.to_owned(),
                version.to_owned(),
                why,
            ))
        };
        if let Some(why) = without_package(found) {
            return unknown(why);
        }
        let source = match found.kind {
            ComponentKind::Plugin => PackageKind::Plugin,
            ComponentKind::Theme => PackageKind::Theme,
        };
        let packages = &self.fleet.parts.packages;
        let fetched = packages.fetch(source, slug, Some(version)).await;
        let package = match exactly(version, fetched)? {
            Ok(package) => package,
            Err(why) => return unknown(why),
        };
        let subject = Subject::Component {
            kind: found.kind,
            slug: slug.to_owned(),
        };
        self.compare(kind, slug, version, subject, &package).await
    }

    async fn compare(
        &self,
        kind: &'static str,
        slug: &str,
        version: &str,
        subject: Subject,
        package: &Package,
    ) -> Result<Verified> {
        let (slug, version) = (slug.to_owned(), version.to_owned());
        let expected = expected(package).await?;
        let report = self
            .session
            .verify_checksums(&self.row.path, subject, &expected)
            .await;
        match report {
            Ok(report) => Ok(Verified::compared(kind, slug, version, &report)),
            // A link in its place, or a directory that the configuration has moved.
            Err(error)
                if matches!(
                    error.code(),
                    Some(RefusalCode::BadPath | RefusalCode::Missing)
                ) =>
            {
                let why = format!("its directory could not be looked into: {error}");
                Ok(Verified::unknown(kind, slug, version, why))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// The files of a package, computed here from the cached zip.
async fn expected(package: &Package) -> Result<Expected> {
    let path = package.path.clone();
    let top = package.slug.clone();
    tokio::task::spawn_blocking(move || {
        let zip = File::open(&path).map_err(Error::internal)?;
        expected_from_zip(BufReader::new(zip), &top, &Watch::unbounded())
            .map_err(|error| Error::new(Kind::Remote, format!("the package is damaged: {error}")))
    })
    .await
    .map_err(Error::internal)?
}

/// The package, if it is one of this very version, or why there is none.
fn exactly(
    version: &str,
    fetched: packages::Result<Package>,
) -> Result<std::result::Result<Package, String>> {
    match fetched {
        Ok(package) if package.version == version => Ok(Ok(package)),
        // `6.5` finds 6.5.5: near is not enough here.
        Ok(package) => Ok(Err(format!(
            "no package source has exactly {version}, only {}",
            package.version
        ))),
        Err(error) if error.kind() == Kind::Internal => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
    }
}

/// Why no package source may be asked about a component: under its slug the source may
/// have something else altogether.
fn without_package(found: &FoundComponent) -> Option<String> {
    match found.place {
        Place::MustUse => return Some("must-use plugins come from no package source".into()),
        Place::DropIn => return Some("drop-ins come from no package source".into()),
        Place::Normal => {}
    }
    match &found.update_source {
        UpdateSource::Repository => {}
        UpdateSource::Vendor(host) => {
            return Some(format!("its packages come from `{host}`"));
        }
        UpdateSource::Nobody => return Some("it says that no package source has it".into()),
        UpdateSource::Unknown => {
            return Some("it cannot be told where its packages come from".into());
        }
    }
    if found.kind == ComponentKind::Plugin && !found.file.contains('/') {
        return Some("a single file is not compared".into());
    }
    found
        .version
        .is_empty()
        .then(|| "it names no version".to_owned())
}

const fn kind_of(found: &FoundComponent) -> &'static str {
    match (found.place, found.kind) {
        (Place::MustUse, _) => "must_use",
        (Place::DropIn, _) => "drop_in",
        (Place::Normal, ComponentKind::Plugin) => "plugin",
        (Place::Normal, ComponentKind::Theme) => "theme",
    }
}
