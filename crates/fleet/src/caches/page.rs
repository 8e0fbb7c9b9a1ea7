//! The cache of pages: a drop-in, and `WP_CACHE`.

use super::{
    bench::{Bench, failed, set, unset},
    start::refuse_foreign,
};
use crate::Result;
use pressroom_providers::probe::Probe;
use pressroom_wordpress::{
    caches::{DropIn, FoundDropIn, WP_CACHE_BEFORE},
    config::ConfigValue,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// How long until pages come from the cache, or no longer do: a busy site may purge in
/// between, and code that was compiled before may answer for a moment.
const HAND_OVER: Duration = Duration::from_secs(8);
const PAUSE: Duration = Duration::from_millis(250);

const WP_CACHE: &str = "WP_CACHE";

impl Bench<'_> {
    /// Puts the page cache in, and sees a page come from it.
    pub(super) async fn enable_page(&self) -> Result<()> {
        let status = self.status().await?;
        refuse_foreign(DropIn::Page, &status.page)?;
        let baseline = self.baseline().await?;
        self.page_on().await?;
        self.see_hit().await?;
        match self.look().await.worse_than(&baseline) {
            None => Ok(()),
            Some(trouble) => Err(failed(format!(
                "the site does not answer as before with the page cache: {trouble}"
            ))),
        }
    }

    /// The drop-in first: it does nothing without the constant.
    pub(super) async fn page_on(&self) -> Result<()> {
        self.session
            .put_drop_in(self.ctx.epoch(), &self.row.path, DropIn::Page)
            .await?;
        let status = self.status().await?;
        let mut edits = Vec::new();
        if status.wp_cache != Some(true) || status.wp_cache_before.is_none() {
            if status.wp_cache_before.is_none() {
                let before = match status.wp_cache {
                    Some(true) => "true",
                    _ if status.wp_cache_defined => "false",
                    _ => "undefined",
                };
                edits.push(set(WP_CACHE_BEFORE, ConfigValue::Text(before.into())));
            }
            if status.wp_cache != Some(true) {
                edits.push(set(WP_CACHE, ConfigValue::Bool(true)));
            }
        }
        self.edit(edits, &status.content, DropIn::Page).await
    }

    /// Takes the page cache out, and sees pages made by WordPress.
    pub(super) async fn disable_page(&self) -> Result<bool> {
        let status = self.status().await?;
        if !status.page.is_ours() && status.wp_cache_before.is_none() {
            return Ok(false);
        }
        self.page_off().await?;
        self.see_no_cache().await?;
        Ok(true)
    }

    /// The constant first, as it was before; then the drop-in and its pages.
    pub(super) async fn page_off(&self) -> Result<()> {
        let status = self.status().await?;
        let mut edits = Vec::new();
        if let Some(before) = &status.wp_cache_before {
            // Set by somebody else meanwhile: it is theirs.
            let theirs = matches!(status.page, FoundDropIn::Foreign { .. });
            if status.wp_cache == Some(true) && !theirs {
                match before.as_str() {
                    "undefined" => edits.push(unset(WP_CACHE)),
                    "false" => edits.push(set(WP_CACHE, ConfigValue::Bool(false))),
                    _ => {}
                }
            }
            edits.push(unset(WP_CACHE_BEFORE));
        }
        if !edits.is_empty() {
            self.edit(edits, &status.content, DropIn::Page).await?;
        }
        self.session
            .remove_drop_in(self.ctx.epoch(), &self.row.path, DropIn::Page)
            .await?;
        let file = format!("{}/{}", status.content, DropIn::Page.file());
        self.forget_compiled(vec![file]).await;
        let left = self.status().await?.pages;
        if left.unseen || left.files > 0 {
            self.ctx.line(format!(
                "pages in `{}/cache` are of another user, as whom the web server runs PHP: \
                 they stay until that user removes them, and are served to nobody",
                status.content
            ));
        }
        Ok(())
    }

    async fn see_hit(&self) -> Result<()> {
        let deadline = Instant::now() + HAND_OVER;
        self.front_page().await?;
        loop {
            let page = self.front_page().await?;
            if page.cache.as_deref() == Some("HIT") && page.is_healthy() {
                self.ctx.line("the front page comes from the cache");
                return Ok(());
            }
            if Instant::now() >= deadline {
                return Err(failed(format!(
                    "the front page does not come from the cache: {}",
                    why_no_hit(&page)
                )));
            }
            sleep(PAUSE).await;
        }
    }

    async fn see_no_cache(&self) -> Result<()> {
        let deadline = Instant::now() + HAND_OVER;
        loop {
            let page = self.front_page().await?;
            let Some(said) = page.cache else {
                return Ok(());
            };
            if Instant::now() >= deadline {
                return Err(failed(format!(
                    "the page cache still answers ({said}) although it was taken out"
                )));
            }
            sleep(PAUSE).await;
        }
    }
}

fn why_no_hit(page: &Probe) -> String {
    match page.cache.as_deref() {
        _ if !page.is_healthy() || page.status != Some(200) => page.summary(),
        Some("MISS") => {
            "WordPress, a theme or a plugin says that it must not be kept, or makes it \
                         for each visitor (a cookie, `DONOTCACHEPAGE`, no end of page)"
                .to_owned()
        }
        Some(said) => format!("it is past the cache ({said})"),
        None => "WordPress does not run `advanced-cache.php`".to_owned(),
    }
}
