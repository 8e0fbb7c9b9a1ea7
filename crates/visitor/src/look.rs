//! The look itself.

mod choose;
mod files;
mod follow;

use crate::{
    address::Home,
    channel::Channel,
    facts::FileRef,
    impression::{Chosen, Content, Impression, Page, PageKind, Pictures, Rest, Seen},
    origin::millis,
    pictures::{Camera, Picture, Wanted},
    plan::Plan,
};
use follow::{Freshness, Visit};
use futures_util::{StreamExt, stream};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

/// Requests at once. A small host has few PHP workers, and its visitors need them.
const AT_ONCE: usize = 2;
/// Names and routes that are kept of a REST API.
const ROUTES: usize = 3000;
/// When pages that are much slower than they were are asked again: those that only had to be
/// compiled anew soon, those of a busy machine later.
const LATER: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(1)];
/// What that is: no more than what is told, well below what stops an update.
const SLOW_FACTOR: u64 = 2;
const SLOW_MS: u64 = 150;
/// A faster answer is no faster page.
const FAST_MS: u64 = 20;
/// What taking pictures may need beyond the patience of the plan, at most.
const PICTURES: Duration = Duration::from_mins(4);

/// What a look brings back.
#[derive(Debug, Default)]
pub struct Looked {
    /// What is kept.
    pub impression: Impression,
    /// The pictures, by the names that the impression has for them.
    pub pictures: Vec<Picture>,
}

/// Looks at a site as its visitors do.
pub struct Visitor {
    channel: Arc<dyn Channel>,
    plan: Plan,
    home: Home,
    camera: Option<Camera>,
}

impl std::fmt::Debug for Visitor {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Visitor")
            .field("plan", &self.plan)
            .finish_non_exhaustive()
    }
}

impl Visitor {
    /// Looks through this channel at what the plan says, with the Chromium of this machine.
    pub fn new(channel: Arc<dyn Channel>, plan: Plan) -> Self {
        let home = plan.site();
        Self {
            channel,
            plan,
            home,
            camera: Camera::find(),
        }
    }

    /// Takes pictures with this camera, or with none.
    #[must_use]
    pub fn with_camera(mut self, camera: Option<Camera>) -> Self {
        self.camera = camera;
        self
    }

    /// Looks. That nothing answers is no error: it is what was seen.
    pub async fn look(&self) -> Looked {
        let start = Instant::now();
        let deadline = start + self.plan.patience;
        let chosen = if self.plan.pages.is_empty() {
            self.choose(deadline).await
        } else {
            self.plan.pages.clone()
        };
        let mut impression = Impression {
            home: self.home.url().to_string(),
            ..Impression::default()
        };
        let mut files = BTreeSet::new();
        for page in &chosen {
            impression.pages.push(Page {
                chosen: page.clone(),
                alive: Vec::new(),
                served: Vec::new(),
            });
        }
        // Round by round, so that what changes with time has time to.
        for _ in 0..self.plan.repeats.max(1) {
            let open: Vec<usize> = (0..chosen.len())
                .filter(|at| !self.is_as_known(&impression.pages[*at]))
                .collect();
            let asked: Vec<_> = open.iter().map(|at| chosen[*at].clone()).collect();
            for (nth, visit) in self.round(&asked, Freshness::Alive, deadline).await {
                let at = open[nth];
                if chosen[at].kind == PageKind::Rest && impression.rest.is_none() {
                    impression.rest = rest(&visit.body);
                }
                gather(&mut files, &visit.seen);
                impression.pages[at].alive.push(visit.seen);
            }
        }
        self.ask_slow_ones_again(&mut impression, deadline).await;
        if self.plan.served {
            for (at, visit) in self.round(&chosen, Freshness::Served, deadline).await {
                impression.pages[at].served.push(visit.seen);
            }
        }
        impression.files = self.files(files, deadline).await;
        let (pictures, kept) = self.pictures(&chosen).await;
        impression.pictures = pictures;
        impression.ms = millis(start);
        Looked {
            impression,
            pictures: kept,
        }
    }

    /// Whether a page is as it was in an earlier look, and as fast: what differs by itself did so
    /// then.
    fn is_as_known(&self, page: &Page) -> bool {
        let known = self.plan.known.get(&page.chosen);
        known.is_some_and(|known| {
            let least = known.fastest().unwrap_or_default().max(FAST_MS);
            let is_known = |seen: &Seen| {
                seen.ttfb_ms <= least * 3 / 2 && known.alive.iter().any(|then| seen.is_like(then))
            };
            page.alive.last().is_some_and(is_known)
        })
    }

    /// Every page once; what is not reached before the deadline is left out.
    async fn round(
        &self,
        chosen: &[Chosen],
        freshness: Freshness,
        deadline: Instant,
    ) -> BTreeMap<usize, Visit> {
        stream::iter(chosen.iter().cloned().enumerate())
            .map(|(at, page)| async move {
                if Instant::now() >= deadline {
                    return None;
                }
                Some((at, self.visit(&page, freshness).await))
            })
            .buffer_unordered(AT_ONCE)
            .filter_map(|seen| async { seen })
            .collect()
            .await
    }

    /// Pages that are much slower than they were are asked again, one at a time and a little
    /// later: a page is slow when it is slow whenever it is asked.
    async fn ask_slow_ones_again(&self, impression: &mut Impression, deadline: Instant) {
        for later in LATER {
            let is_slow = |page: &Page| {
                let then = self.plan.known.get(&page.chosen).and_then(Page::fastest);
                let now = page.fastest();
                then.zip(now).is_some_and(|(then, now)| {
                    now > then.saturating_mul(SLOW_FACTOR) && now > then.saturating_add(SLOW_MS)
                })
            };
            let slow: Vec<_> = impression
                .pages
                .iter_mut()
                .filter(|page| is_slow(page))
                .collect();
            if slow.is_empty() {
                return;
            }
            tokio::time::sleep(later).await;
            for page in slow {
                if Instant::now() >= deadline {
                    return;
                }
                let visit = self.visit(&page.chosen, Freshness::Alive).await;
                page.alive.push(visit.seen);
            }
        }
    }

    async fn pictures(&self, chosen: &[Chosen]) -> (Pictures, Vec<Picture>) {
        let not_made = |why: String| (Pictures::NotMade { why }, Vec::new());
        if !self.plan.pictures {
            return (Pictures::NotWanted, Vec::new());
        }
        let Some(camera) = &self.camera else {
            return not_made("Chromium is not installed".to_owned());
        };
        let pages = chosen
            .iter()
            .filter(|page| page.kind.is_shown() && !page.kind.is_admin())
            .take(self.plan.picture_pages)
            .cloned()
            .collect();
        let wanted = Wanted {
            pages,
            shots: self.plan.shots.max(1),
            known: self.plan.shown.clone(),
            timeout: self.plan.timeout,
        };
        let taking = camera.take(self.channel.clone(), &self.home, wanted);
        match tokio::time::timeout(PICTURES, taking).await {
            Ok(Ok(taken)) => (
                Pictures::Made {
                    shots: taken.shots,
                    failed: taken.failed,
                },
                taken.pictures,
            ),
            Ok(Err(error)) => not_made(error.to_string()),
            Err(_) => not_made(format!("not done within {} s", PICTURES.as_secs())),
        }
    }
}

/// Files that a page is made with.
fn gather(files: &mut BTreeSet<FileRef>, seen: &Seen) {
    if let Content::Html(facts) = &seen.content {
        files.extend(facts.files.iter().cloned());
    }
}

/// The index of a REST API, where this is one.
fn rest(body: &[u8]) -> Option<Rest> {
    let index: Value = serde_json::from_slice(body).ok()?;
    let namespaces = index.get("namespaces")?.as_array()?;
    let short = |name: &str| crate::html::short(name, 300);
    Some(Rest {
        namespaces: namespaces
            .iter()
            .filter_map(Value::as_str)
            .take(ROUTES)
            .map(short)
            .collect(),
        routes: index
            .get("routes")
            .and_then(Value::as_object)
            .into_iter()
            .flat_map(|routes| routes.keys())
            .take(ROUTES)
            .map(|route| short(route))
            .collect(),
    })
}
