//! From a request to the engine and back to an answer.

use crate::{
    protocol::{Refusal, RefusalCode, Request, Response, Welcome},
    serve::{Site, Traffic},
};
use pressroom_wordpress::{
    Error, Result, bridge, caches, clean, component, config, core, database, fence, home::Home,
    inventory, journal, maintenance, package, tree, watch::Watch,
};
use std::{error::Error as _, io, path::Path, time::Duration};

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
    let Traffic { upload, .. } = traffic;
    // The engine checks again under the lock, right before each act. This is for the
    // long way there: a stale caller need not upload a package to be told.
    if let (Some(epoch), false) = (request.epoch(), matches!(request, Request::Recover { .. })) {
        fence::check(home, epoch, watch)?;
    }
    Ok(match request {
        Request::Recover { epoch } => Response::Recover(journal::recover(home, epoch, watch)?),
        Request::Inspect { root } => {
            Response::Inspect(Box::new(inventory::inspect(home, &root, watch)?))
        }
        Request::TreeHash { path } => Response::TreeHash(tree::hash_at(home, &path, watch)?),
        Request::ReadSite { root, options } => {
            Response::ReadSite(database::read_site(home, &root, &options, watch)?)
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
        Request::StageComponent { epoch, target } => {
            let package = package::spool(home, epoch, upload, watch)?;
            Response::StageComponent(component::stage(home, epoch, &target, &package, watch)?)
        }
        Request::SwapComponent { epoch, swap } => {
            Response::Swapped(component::swap(home, epoch, &swap, watch)?)
        }
        Request::TakeBack { epoch, swap } => {
            Response::Swapped(component::take_back(home, epoch, &swap, watch)?)
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
        Request::FlushCaches {
            epoch,
            root,
            options,
        } => Response::FlushCaches(caches::flush(home, epoch, &root, &options, watch)?),
        Request::Bridge {
            epoch,
            root,
            php,
            actions,
        } => Response::Bridge(bridge::run(home, epoch, &root, &php, &actions, watch)?),
        Request::CleanHome { epoch } => {
            clean::clean(home, epoch, watch)?;
            Response::Done
        }
    })
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
            Error::NoSpace { .. } => RefusalCode::NoSpace,
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
