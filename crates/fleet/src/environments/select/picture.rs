//! A picture of the whole fleet in the memory of a process that goes on, and how it is
//! kept true.
//!
//! It is made when somebody first asks. Every later question begins with one cheap
//! statement: what was marked as changed since the picture's moment
//! ([`pressroom_store::changes`]); only that is read again. So an answer misses nothing
//! that was committed before the question, by this process or another, and no process
//! has to tell another. What is read may already be newer than the mark: then it is read
//! once more with the next question, and nothing is lost.

use super::read::{AT_ONCE, facts};
use crate::{
    Error, Result,
    selector::{Answer, Index, Selector},
};
use pressroom_base::{Timestamp, id::EnvironmentId};
use pressroom_store::{Changed, Moment, Scope, Store, changes, environments};
use std::{
    collections::{BTreeSet, HashSet},
    sync::{Arc, RwLock},
    time::Instant,
};
use tokio::sync::Mutex;

/// Looks at an environment that are made on the spot; more of them, about a millisecond's
/// worth, are made where they hold nobody else up.
const ON_THE_SPOT: usize = 400_000;

/// How much a picture holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PictureSize {
    /// Environments in it.
    pub environments: usize,
    /// Bytes of memory, about.
    pub bytes: usize,
}

/// The picture, once there is one.
#[derive(Default)]
pub(crate) struct Picture(Arc<Mutex<Option<Kept>>>);

struct Kept {
    /// Up to which the picture is true.
    moment: Moment,
    /// When that moment was asked for: whoever asked before that is served.
    since: Instant,
    index: Arc<RwLock<Index>>,
}

impl Picture {
    /// Whom a selector finds within a scope, now.
    pub(crate) async fn answer(
        &self,
        store: &Store,
        selector: Selector,
        scope: Scope,
    ) -> Result<Answer> {
        let index = self.current(store).await?;
        let now = Timestamp::now();
        if let Some(answer) = on_the_spot(&index, &selector, &scope, now)? {
            return Ok(answer);
        }
        aside(move || {
            let index = index.read().map_err(|_| broken())?;
            Ok(index.answer(&selector, &scope, now))
        })
        .await
    }

    pub(crate) async fn size(&self) -> PictureSize {
        let kept = self.0.lock().await;
        let index = kept.as_ref().and_then(|kept| kept.index.read().ok());
        index.map_or_else(PictureSize::default, |index| PictureSize {
            environments: index.len(),
            bytes: index.bytes(),
        })
    }

    /// The picture with everything that was committed before this was called.
    async fn current(&self, store: &Store) -> Result<Arc<RwLock<Index>>> {
        let asked = Instant::now();
        let mut kept = Arc::clone(&self.0).lock_owned().await;
        // One that a panic left half done is made anew.
        if kept.as_ref().is_some_and(|kept| kept.index.is_poisoned()) {
            *kept = None;
        }
        let since = Instant::now();
        let mut changed = Vec::new();
        let mut moment = None;
        if let Some(kept) = kept.as_mut() {
            if kept.since >= asked {
                return Ok(Arc::clone(&kept.index));
            }
            let (new, until) = changes::since(store, &kept.moment).await?;
            if new.is_empty() {
                (kept.moment, kept.since) = (until, since);
                return Ok(Arc::clone(&kept.index));
            }
            (changed, moment) = (new, Some(until));
        }
        // Who hangs up must not break it off: what was read by then would be put in
        // later, over what somebody else has read since.
        let store = store.clone();
        let task = tokio::spawn(async move {
            if let (Some(kept), Some(moment)) = (kept.as_mut(), moment) {
                kept.catch_up(&store, changed).await?;
                (kept.moment, kept.since) = (moment, since);
                return Ok(Arc::clone(&kept.index));
            }
            let made = kept.insert(Kept::make(&store).await?);
            Ok(Arc::clone(&made.index))
        });
        task.await.map_err(Error::internal)?
    }
}

impl Kept {
    /// Reads the whole fleet. What changes meanwhile is marked after the moment.
    async fn make(store: &Store) -> Result<Self> {
        let since = Instant::now();
        let moment = changes::now(store).await?;
        let index = Arc::default();
        let all = environments::all_live(store).await?;
        read_again(store, &index, &all).await?;
        tracing::info!(
            environments = all.len(),
            duration_ms = since.elapsed().as_millis(),
            "{} sites were read to be selected among",
            all.len()
        );
        Ok(Self {
            moment,
            since,
            index,
        })
    }

    /// Reads again what changed. Where the store fails half-way, all of it is read with
    /// the next question: the moment is moved on last.
    async fn catch_up(&self, store: &Store, changed: Vec<Changed>) -> Result<()> {
        let ids: BTreeSet<EnvironmentId> = {
            let index = self.index.read().map_err(|_| broken())?;
            let concerned = |changed| index.concerned(changed);
            changed.into_iter().flat_map(concerned).collect()
        };
        let ids: Vec<EnvironmentId> = ids.into_iter().collect();
        read_again(store, &self.index, &ids).await
    }
}

/// The answer, where it is a short look.
fn on_the_spot(
    index: &RwLock<Index>,
    selector: &Selector,
    scope: &Scope,
    now: Timestamp,
) -> Result<Option<Answer>> {
    let index = index.read().map_err(|_| broken())?;
    Ok((index.cost(selector) <= ON_THE_SPOT).then(|| index.answer(selector, scope, now)))
}

/// Makes the picture of these environments what the store says of them.
async fn read_again(
    store: &Store,
    index: &Arc<RwLock<Index>>,
    ids: &[EnvironmentId],
) -> Result<()> {
    for ids in ids.chunks(AT_ONCE) {
        let read = facts(store, ids).await?;
        let there: HashSet<EnvironmentId> = read.iter().map(|(place, _)| place.id).collect();
        let gone: Vec<EnvironmentId> = ids
            .iter()
            .filter(|id| !there.contains(id))
            .copied()
            .collect();
        let index = Arc::clone(index);
        aside(move || {
            // Let go of now and then, for those who only look.
            for some in read.chunks(20) {
                let mut index = index.write().map_err(|_| broken())?;
                for (place, facts) in some {
                    index.put(place.clone(), facts);
                }
            }
            let mut index = index.write().map_err(|_| broken())?;
            for id in gone {
                index.remove(id);
            }
            Ok(())
        })
        .await?;
    }
    Ok(())
}

/// Computes where it holds nobody up.
async fn aside<T: Send + 'static>(
    compute: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(compute)
        .await
        .map_err(Error::internal)?
}

fn broken() -> Error {
    Error::internal(std::io::Error::other("the picture of the fleet is broken"))
}
