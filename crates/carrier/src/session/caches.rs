//! The site's caches: looked at, put in, taken out, purged.

use super::{Data, Session, answer};
use crate::Result;
use pressroom_agent::protocol::{Request, SiteRef};
use pressroom_base::Epoch;
use pressroom_wordpress::caches::{CacheStatus, DropIn, FlushOptions, FlushReport};

impl Session {
    /// Flushes the site's caches without PHP of the site.
    pub async fn flush_caches(
        &self,
        epoch: Epoch,
        root: &str,
        options: FlushOptions,
    ) -> Result<FlushReport> {
        let request = Request::FlushCaches {
            epoch,
            root: root.to_owned(),
            options,
        };
        answer!(self.call(request, Data::None), FlushCaches)
    }

    /// What the site has of caches; with its pool's socket, OPcache is asked for.
    pub async fn cache_status(
        &self,
        site: SiteRef,
        fpm_socket: Option<String>,
    ) -> Result<CacheStatus> {
        let request = Request::CacheStatus { site, fpm_socket };
        let status: Result<Box<CacheStatus>> = answer!(self.call(request, Data::None), CacheStatus);
        status.map(|status| *status)
    }

    /// Puts a drop-in of ours there; whether it was not there already.
    pub async fn put_drop_in(&self, epoch: Epoch, root: &str, drop_in: DropIn) -> Result<bool> {
        let root = root.to_owned();
        let request = Request::PutDropIn {
            epoch,
            root,
            drop_in,
        };
        answer!(self.call(request, Data::None), DropIn)
    }

    /// Removes a drop-in of ours; whether it was there.
    pub async fn remove_drop_in(&self, epoch: Epoch, root: &str, drop_in: DropIn) -> Result<bool> {
        let root = root.to_owned();
        let request = Request::RemoveDropIn {
            epoch,
            root,
            drop_in,
        };
        answer!(self.call(request, Data::None), DropIn)
    }

    /// Removes all pages of our page cache, or the one at an address; how many there were.
    pub async fn purge_pages(&self, epoch: Epoch, root: &str, url: Option<&str>) -> Result<u64> {
        let request = Request::PurgePages {
            epoch,
            root: root.to_owned(),
            url: url.map(str::to_owned),
        };
        answer!(self.call(request, Data::None), PurgePages)
    }
}
