//! From a request to the engine and back to an answer.

use crate::{
    protocol::{Boot, Form, MAX_CHUNK, Refusal, RefusalCode, Request, Response, SiteRef, Welcome},
    serve::{Site, Traffic},
};
use pressroom_base::Epoch;
use pressroom_wordpress::{
    Error, Result, adoption, archive, bridge, caches,
    checksums::{self, ChecksumRequest},
    clean, command, component,
    config::{self, Settings},
    core,
    database::{self, dump, replace, restore, restore_point},
    fence, find,
    home::Home,
    inventory, maintenance, package, protection, recovery, rehearsal, snapshot, tree, usage,
    watch::Watch,
};
use std::{
    error::Error as _,
    io::{self, BufWriter, Write},
    path::Path,
    time::Duration,
};

/// The engine at one home.
pub(crate) struct Engine {
    /// Why there is none is told to the caller, who asked for it.
    home: std::result::Result<Home, Refusal>,
}

impl Engine {
    pub(crate) fn open(home: &Path) -> Self {
        Self {
            home: Home::open(home).map_err(Refusal::from),
        }
    }

    fn home(&self) -> std::result::Result<&Home, Refusal> {
        self.home.as_ref().map_err(Clone::clone)
    }
}

impl Site for Engine {
    fn welcome(&self, version: u16) -> std::result::Result<Welcome, Refusal> {
        Ok(Welcome {
            version,
            release: env!("CARGO_PKG_VERSION").into(),
            uid: rustix::process::geteuid().as_raw(),
            fence: fence::seen(self.home()?)?,
            form: Form::Native,
        })
    }

    fn carry_out(
        &self,
        request: Request,
        traffic: Traffic<'_>,
        watch: &Watch,
    ) -> std::result::Result<Response, Refusal> {
        Ok(carry_out(self.home()?, request, traffic, watch)?)
    }
}

fn carry_out(
    home: &Home,
    request: Request,
    traffic: Traffic<'_>,
    watch: &Watch,
) -> Result<Response> {
    let Traffic {
        mut upload,
        download,
    } = traffic;
    // The engine checks again under the lock, right before each act. This is for the
    // long way there: a stale caller need not upload a package to be told.
    if let (Some(epoch), false) = (request.epoch(), matches!(request, Request::Recover { .. })) {
        fence::check(home, epoch, watch)?;
    }
    Ok(match request {
        Request::Recover { epoch } => Response::Recover(recovery::recover(home, epoch, watch)?),
        Request::Inspect { root } => {
            Response::Inspect(Box::new(inventory::inspect(home, &root, watch)?))
        }
        Request::Survey { site, options } => {
            let php = site.php.as_deref();
            let survey = inventory::survey(home, &site.root, php, &options, watch)?;
            Response::Survey(Box::new(survey))
        }
        Request::CheckAdoption { root } => {
            adoption::check(home, &root, watch)?;
            Response::Done
        }
        Request::TreeHash { path } => Response::TreeHash(tree::hash_at(home, &path, watch)?),
        Request::DiskUsage { path } => Response::DiskUsage(usage::disk_usage(home, &path, watch)?),
        Request::ReadSite { root, options } => {
            Response::ReadSite(database::read_site(home, &root, &options, watch)?)
        }
        Request::ReadUsers { root, query } => {
            Response::ReadUsers(database::read_users(home, &root, &query, watch)?)
        }
        Request::InstallCore { epoch, root } => {
            let package = package::spool(home, epoch, upload, watch)?;
            Response::InstallCore(core::install(home, epoch, &root, &package, watch)?)
        }
        Request::WriteConfig {
            epoch,
            root,
            config,
        } => {
            config::write(home, epoch, &root, &config, watch)?;
            Response::Done
        }
        Request::RemoveCore { epoch, root } => {
            core::remove(home, epoch, &root, watch)?;
            Response::Done
        }
        Request::AdoptCore { epoch, root } => {
            core::adopt(home, epoch, &root, watch)?;
            Response::Done
        }
        Request::StageComponent { epoch, target } => {
            let package = package::spool(home, epoch, upload, watch)?;
            Response::StageComponent(component::stage(home, epoch, &target, &package, watch)?)
        }
        Request::HashComponent { target } => {
            Response::TreeHash(component::live(home, &target, watch)?)
        }
        Request::SwapComponent { epoch, swap } => {
            Response::Swapped(component::exchange(home, epoch, &swap, watch)?)
        }
        Request::TakeBack { epoch, swap } => {
            Response::Swapped(component::exchange_back(home, epoch, &swap, watch)?)
        }
        Request::DropStaged { epoch, staged } => {
            component::drop_staged(home, epoch, &staged, watch)?;
            Response::Done
        }
        Request::StageCore { epoch, root } => {
            let package = package::spool(home, epoch, upload, watch)?;
            let staged = core::stage_core(home, epoch, &root, &package, watch)?;
            Response::StageCore(Box::new(staged))
        }
        Request::ListTranslations { root } => {
            Response::ListTranslations(core::installed_translations(home, &root, watch)?)
        }
        Request::StageTranslation {
            epoch,
            swap,
            locale,
        } => {
            let pack = package::spool(home, epoch, upload, watch)?;
            let swap = core::stage_translation(home, epoch, &swap, &locale, &pack, watch)?;
            Response::StageTranslation(swap)
        }
        Request::SwapCore { epoch, swap } => {
            Response::SwappedCore(core::swap_core(home, epoch, &swap, watch)?)
        }
        Request::TakeBackCore { epoch, swap } => {
            Response::SwappedCore(core::take_back_core(home, epoch, &swap, watch)?)
        }
        Request::DropStagedCore { epoch, staged } => {
            core::drop_staged(home, epoch, &staged, watch)?;
            Response::Done
        }
        Request::Maintain {
            epoch,
            root,
            lease_s,
        } => Response::Maintain(match lease_s {
            Some(lease) => {
                let lease = Duration::from_secs(lease);
                maintenance::enter(home, epoch, &root, lease, watch)?
            }
            None => maintenance::leave(home, epoch, &root, watch)?,
        }),
        Request::RenewMaintenance {
            epoch,
            root,
            lease_s,
        } => {
            let lease = Duration::from_secs(lease_s);
            Response::Maintain(maintenance::renew(home, epoch, &root, lease, watch)?)
        }
        Request::MaintenanceStatus { root } => {
            Response::Maintain(maintenance::status(home, &root)?)
        }
        Request::HoldUpdater {
            epoch,
            root,
            holder,
            release,
        } => Response::HoldUpdater(if release {
            database::release_updater(home, epoch, &root, &holder, watch)?;
            None
        } else {
            Some(database::hold_updater(home, epoch, &root, &holder, watch)?)
        }),
        Request::FlushCaches {
            epoch,
            root,
            options,
        } => Response::FlushCaches(caches::flush(home, epoch, &root, &options, watch)?),
        Request::CacheStatus { site, fpm_socket } => {
            let (php, socket) = (site.php.as_deref(), fpm_socket.as_deref());
            let status = caches::status(home, &site.root, php, socket, watch)?;
            Response::CacheStatus(Box::new(status))
        }
        Request::PutDropIn {
            epoch,
            root,
            drop_in,
        } => Response::DropIn(caches::put(home, epoch, &root, drop_in, watch)?),
        Request::RemoveDropIn {
            epoch,
            root,
            drop_in,
        } => Response::DropIn(caches::remove(home, epoch, &root, drop_in, watch)?),
        Request::PurgePages { epoch, root, url } => {
            Response::PurgePages(caches::purge(home, epoch, &root, url.as_deref(), watch)?)
        }
        Request::Find { below, depth } => Response::Find(find::find(home, &below, depth, watch)?),
        Request::ListConfig { site } => {
            let php = site.php.as_deref();
            Response::ListConfig(Box::new(config::list(home, &site.root, php, watch)?))
        }
        Request::ReadConfig { site } => {
            Response::ReadConfig(Box::new(settings(home, &site, watch)?))
        }
        Request::EditConfig { epoch, site, edits } => {
            let php = site.php.as_deref();
            Response::EditConfig(config::edit(home, epoch, &site.root, &edits, php, watch)?)
        }
        Request::Protections { root } => {
            Response::Protections(Box::new(protection::look(home, &root)?))
        }
        Request::Protect {
            epoch,
            root,
            measure,
        } => {
            let now = protection::carry_out(home, epoch, &root, &measure, watch)?;
            Response::Protections(Box::new(now))
        }
        Request::VerifyChecksums { root, subject } => {
            let request = ChecksumRequest {
                root,
                subject,
                expected: checksums::Expected::from_json(&mut upload)?,
            };
            Response::VerifyChecksums(Box::new(checksums::verify(home, &request, watch)?))
        }
        Request::DumpDatabase { site, options } => {
            let mut out = BufWriter::with_capacity(MAX_CHUNK, download);
            let report = dump::dump(&settings(home, &site, watch)?, &options, &mut out, watch)?;
            flush(&mut out)?;
            Response::DumpDatabase(Box::new(report))
        }
        Request::RestoreDatabase {
            epoch,
            site,
            options,
        } => {
            let settings = settings(home, &site, watch)?;
            let report = restore::restore(home, epoch, &settings, &options, &mut upload, watch)?;
            Response::RestoreDatabase(Box::new(report))
        }
        Request::RestoreSnapshotDatabase {
            epoch,
            site,
            staged,
            options,
        } => {
            let settings = settings(home, &site, watch)?;
            let report =
                snapshot::restore_database(home, epoch, &settings, &staged, &options, watch)?;
            Response::RestoreDatabase(Box::new(report))
        }
        Request::TakeBackDatabase { epoch, site, aside } => {
            let settings = settings(home, &site, watch)?;
            restore::take_back(home, epoch, &settings, &aside, watch)?;
            Response::Done
        }
        Request::DropDatabaseAside { epoch, site, aside } => {
            let settings = settings(home, &site, watch)?;
            restore::drop_aside(home, epoch, &settings, &aside, watch)?;
            Response::Done
        }
        Request::TakePoint {
            epoch,
            site,
            options,
        } => {
            let settings = settings(home, &site, watch)?;
            let point = restore_point::take(home, epoch, &settings, &options, watch)?;
            Response::TakePoint(Box::new(point))
        }
        Request::SealPoint {
            epoch,
            site,
            handle,
        } => {
            let settings = settings(home, &site, watch)?;
            Response::SealPoint(restore_point::seal(home, epoch, &settings, &handle, watch)?)
        }
        Request::MergePoint {
            epoch,
            site,
            handle,
            options,
        } => {
            let settings = settings(home, &site, watch)?;
            let report = restore_point::merge(home, epoch, &settings, &handle, &options, watch)?;
            Response::MergePoint(Box::new(report))
        }
        Request::DropPoint {
            epoch,
            site,
            handle,
        } => {
            let settings = settings(home, &site, watch)?;
            restore_point::drop_point(home, epoch, &settings, &handle, watch)?;
            Response::Done
        }
        Request::RecoverDatabase { epoch, site } => {
            let settings = settings(home, &site, watch)?;
            Response::RecoverDatabase(restore_point::recover(home, epoch, &settings, watch)?)
        }
        Request::DatabaseSize { site } => {
            Response::DatabaseSize(database::size(&settings(home, &site, watch)?, watch)?)
        }
        Request::DatabaseChecksums { site, tables } => {
            let settings = settings(home, &site, watch)?;
            Response::DatabaseChecksums(database::checksums(&settings, &tables, watch)?)
        }
        Request::SearchReplace {
            epoch,
            site,
            options,
        } => {
            let settings = settings(home, &site, watch)?;
            let report = replace::search_replace(home, epoch, &settings, &options, watch)?;
            Response::SearchReplace(Box::new(report))
        }
        Request::TakeSnapshot { site, options } => {
            let settings = settings(home, &site, watch)?;
            let mut out = BufWriter::with_capacity(MAX_CHUNK, download);
            let report = snapshot::take(home, &site.root, &settings, &options, &mut out, watch)?;
            flush(&mut out)?;
            Response::TakeSnapshot(Box::new(report))
        }
        Request::Pack { options } => {
            let mut out = BufWriter::with_capacity(MAX_CHUNK, download);
            let manifest = archive::pack(home, &options, &mut out, watch)?;
            flush(&mut out)?;
            Response::Pack(Box::new(manifest.summary()))
        }
        Request::Unpack { epoch, options } => Response::Unpack(Box::new(archive::unpack(
            home,
            epoch,
            &mut upload,
            &options,
            watch,
        )?)),
        Request::ExchangeTree { epoch, exchange } => {
            Response::ExchangedTree(archive::exchange(home, epoch, &exchange, watch)?)
        }
        Request::TakeBackTree { epoch, staged } => {
            Response::ExchangedTree(archive::take_back_exchange(home, epoch, &staged, watch)?)
        }
        Request::DropUnpacked { epoch, staged } => {
            archive::drop_unpacked(home, epoch, &staged, watch)?;
            Response::Done
        }
        Request::Bridge {
            epoch,
            boot,
            actions,
            each,
        } => Response::Bridge(if each {
            bridge::run_each(boot.at(home, epoch), &actions, watch)?
        } else {
            let Boot { root, php, options } = &boot;
            bridge::run_with(home, epoch, root, php, &actions, options, watch)?
        }),
        Request::ActivatePlugins {
            epoch,
            boot,
            plugins,
            network_wide,
        } => {
            let place = boot.at(home, Some(epoch));
            let activation = bridge::activate(place, &plugins, network_wide, watch)?;
            Response::ActivatePlugins(Box::new(activation))
        }
        Request::SwitchTheme {
            epoch,
            boot,
            stylesheet,
        } => {
            let place = boot.at(home, Some(epoch));
            let switch = bridge::switch_theme(place, &stylesheet, watch)?;
            Response::SwitchTheme(Box::new(switch))
        }
        Request::UpgradeDatabases {
            epoch,
            boot,
            network,
            batch,
        } => {
            let place = boot.at(home, Some(epoch));
            let upgraded = bridge::upgrade_databases(place, network, batch, watch)?;
            Response::UpgradeDatabases(upgraded)
        }
        Request::RunCron {
            epoch,
            boot,
            within_s,
        } => {
            let place = boot.at(home, Some(epoch));
            Response::RunCron(bridge::run_cron(place, within_s, watch)?)
        }
        Request::RunCommand { epoch, command } => {
            // Not gathered: whoever watches wants to see what is printed when it is.
            let mut out = download;
            Response::RunCommand(command::run(home, epoch, &command, &mut out, watch)?)
        }
        Request::MakeRehearsal {
            epoch,
            site,
            options,
        } => {
            let settings = settings(home, &site, watch)?;
            let php = site.php.as_deref().ok_or_else(|| {
                Error::NoPhp("a rehearsal needs a `php`, and none is known".to_owned())
            })?;
            let made = rehearsal::make(home, epoch, &site.root, php, &settings, &options, watch)?;
            Response::MakeRehearsal(Box::new(made))
        }
        Request::Visit { handle, visit } => {
            let mut out = BufWriter::with_capacity(MAX_CHUNK, download);
            let answer = rehearsal::visit(home, &handle, &visit, &mut out, watch)?;
            flush(&mut out)?;
            Response::Visit(Box::new(answer))
        }
        Request::RehearsalLog { handle } => {
            Response::RehearsalLog(Box::new(rehearsal::log(home, &handle)?))
        }
        Request::DropRehearsal { epoch, handle } => {
            rehearsal::drop_rehearsal(home, epoch, &handle, watch)?;
            Response::Done
        }
        Request::CleanHome { epoch } => {
            clean::clean(home, epoch, watch)?;
            Response::Done
        }
    })
}

impl Boot {
    fn at<'a>(&'a self, home: &'a Home, epoch: Option<Epoch>) -> bridge::Place<'a> {
        bridge::Place {
            home,
            epoch,
            root: &self.root,
            php: &self.php,
            options: &self.options,
        }
    }
}

/// What the site's configuration says of its database, evaluated if it must be.
fn settings(home: &Home, site: &SiteRef, watch: &Watch) -> Result<Settings> {
    config::read_or_evaluate(home, &site.root, site.php.as_deref(), watch)
}

/// Sends what is left of a download; the caller may have gone.
fn flush(out: &mut impl Write) -> Result<()> {
    out.flush()
        .map_err(|why| Error::io("send", "the data", why))
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let code = match &error {
            Error::Fenced { .. } => RefusalCode::Fenced,
            Error::Locked => RefusalCode::Locked,
            Error::BadPath(_) => RefusalCode::BadPath,
            Error::BadInput(_) => RefusalCode::BadInput,
            Error::Missing(_) => RefusalCode::Missing,
            Error::Occupied(_) => RefusalCode::Occupied,
            Error::Changed { .. } => RefusalCode::Changed,
            Error::NoSpace { .. } | Error::NoRoom { .. } => RefusalCode::NoSpace,
            Error::NoPhp(_) => RefusalCode::NoPhp,
            Error::Php(_) => RefusalCode::Php,
            Error::Database(_) => RefusalCode::Database,
            Error::Deadline => RefusalCode::Deadline,
            Error::Cancelled => RefusalCode::Cancelled,
            Error::Io { source, .. } => match source.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => RefusalCode::NoSpace,
                _ => RefusalCode::Io,
            },
        };
        // The cause does not travel, its words must.
        let message = match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        Self { code, message }
    }
}
