//! Starting a job in the transaction of the change that wants it.

use crate::{Caller, Error, Fleet, Result, authorize::Action, code, reach::Shared, views::Job};
use pressroom_base::{
    Epoch, Kind, Secret,
    id::{AccountId, EnvironmentId, JobId, ShortId},
};
use pressroom_jobs::{JobContext, NewJob, enqueue};
use pressroom_store::{
    EnvironmentRow, Lane, NewEvent, SiteRow, Tx, domains, environments, events, idempotency,
    jobs::{self, queue},
};
use serde::Serialize;
use serde_json::{Value, json};

/// The priority of a job that is a part of another.
const PART_PRIORITY: i32 = -10;

/// A job to start.
pub(crate) struct Enqueue {
    job: NewJob,
    /// Where it writes.
    shared: Option<Shared>,
    /// A second place that holds still for it, or is written to as well.
    also: Option<Shared>,
    event: Option<&'static str>,
}

impl Enqueue {
    /// A job that will write to an environment. Only one may be unfinished at a time.
    pub(crate) fn writing(
        kind: &'static str,
        environment: &EnvironmentRow,
        payload: &impl Serialize,
    ) -> Result<Self> {
        let payload = serde_json::to_value(payload).map_err(Error::internal)?;
        let mut job = NewJob::new(kind, payload);
        job.environment = Some(environment.id);
        job.account = Some(environment.account_id);
        job.lane = Lane::Write;
        Ok(Self {
            job,
            shared: Shared::of(environment),
            also: None,
            event: None,
        })
    }

    /// Keeps writers of another place away as well.
    pub(crate) fn and_of(mut self, place: Option<Shared>) -> Self {
        self.also = place;
        self
    }

    /// A job that only reads, beside whatever else runs.
    pub(crate) fn reading(
        kind: &'static str,
        account: AccountId,
        environment: Option<EnvironmentId>,
        payload: &impl Serialize,
    ) -> Result<Self> {
        let payload = serde_json::to_value(payload).map_err(Error::internal)?;
        let mut job = NewJob::new(kind, payload);
        job.environment = environment;
        job.account = Some(account);
        job.lane = Lane::Read;
        Ok(Self {
            job,
            shared: None,
            also: None,
            event: None,
        })
    }

    /// While one with this key is not over there is no other, and it is tried this often.
    pub(crate) fn persistent(mut self, key: String, attempts: i32) -> Self {
        self.job.dedupe_key = Some(key);
        self.job.max_attempts = attempts;
        self
    }

    /// Gives the job something in confidence; stored sealed.
    pub(crate) fn with_secrets(mut self, secrets: &impl Serialize) -> Result<Self> {
        let text = serde_json::to_string(secrets).map_err(Error::internal)?;
        self.job.secrets = Some(Secret::new(text));
        Ok(self)
    }

    /// The same for a single value.
    pub(crate) fn with_plain_secret(mut self, secret: Secret<String>) -> Self {
        self.job.secrets = Some(secret);
        self
    }

    /// The event that tells of the request.
    pub(crate) const fn with_event(mut self, event: &'static str) -> Self {
        self.event = Some(event);
        self
    }
}

/// A job that is a part of another is begun only while that is its worker's, and goes on:
/// its row is held until `tx` ends, so that whoever ends it sees this part.
async fn still_wanted(tx: &Tx, parent: JobId, epoch: Epoch) -> Result<()> {
    match queue::fence(tx, parent, epoch).await?.cancel {
        None => Ok(()),
        Some(_) => Err(Error::conflict("the run was stopped")),
    }
}

impl Fleet {
    /// Whether an unfinished job writes to the environment, or to another in the same
    /// place: those share a home with its fence, in a domain also a Unix user and a server
    /// block. The place's row is locked, so that of two requests at once one sees the
    /// other's job.
    async fn is_written_to(
        &self,
        tx: &Tx,
        environment: EnvironmentId,
        shared: Option<&Shared>,
    ) -> Result<bool> {
        let together = match shared {
            None => vec![environment],
            Some(Shared::Domain(domain)) => {
                domains::lock(tx, *domain).await?;
                environments::in_domain(tx, *domain).await?
            }
            Some(Shared::Home { host, home }) => environments::lock_home(tx, *host, home).await?,
        };
        for id in &together {
            if !jobs::writing_on(tx, *id).await?.is_empty() {
                return Ok(true);
            }
        }
        if let Some(Shared::Domain(domain)) = shared {
            // A site that moves here, or that has just moved away, is not in the domain.
            let moves = jobs::unfinished_of_kind(tx, crate::sites::MOVE).await?;
            if moves
                .iter()
                .any(|job| crate::sites::moves_touch(&job.payload, *domain))
            {
                return Ok(true);
            }
        }
        // A copy is written elsewhere, but what it reads must hold still.
        let copies = jobs::unfinished_of_kind(tx, crate::sites::CLONE).await?;
        Ok(copies.iter().any(|job| {
            together
                .iter()
                .any(|id| crate::sites::clone_reads(&job.payload, *id))
        }))
    }

    /// Refuses a change that needs no job of its own while a job writes there.
    pub(crate) async fn refuse_while_written_to(
        &self,
        tx: &Tx,
        row: &EnvironmentRow,
    ) -> Result<()> {
        if self
            .is_written_to(tx, row.id, Shared::of(row).as_ref())
            .await?
        {
            return Err(operation_running());
        }
        Ok(())
    }

    /// [`Fleet::enqueue`] where nothing else is written with it; the job as the caller sees
    /// it.
    pub(crate) async fn start_job(
        &self,
        caller: &Caller,
        action: Action,
        job: Enqueue,
    ) -> Result<Job> {
        let tx = self.parts.store.begin().await?;
        let id = self.enqueue(&tx, caller, job).await?;
        tx.commit().await?;
        self.job_by_id(caller, action, id).await
    }

    /// Puts a job into the queue, ties it to the caller's idempotency key, and tells of
    /// it. Refused with `OPERATION_RUNNING` while another writing job of the same
    /// environment is unfinished.
    pub(crate) async fn enqueue(
        &self,
        tx: &Tx,
        caller: &Caller,
        mut new: Enqueue,
    ) -> Result<JobId> {
        if new.job.lane == Lane::Write
            && let Some(environment) = new.job.environment
        {
            let mut places = [&new.shared, &new.also];
            // Always in one order, so that two requests never wait for each other.
            places.sort();
            for place in places.into_iter().flatten() {
                lock(tx, place).await?;
            }
            for place in [Some(&new.shared), new.also.is_some().then_some(&new.also)] {
                if let Some(place) = place
                    && self.is_written_to(tx, environment, place.as_ref()).await?
                {
                    return Err(operation_running());
                }
            }
        }
        new.job.requested_by = caller.principal.user_id();
        if let Some((parent, epoch)) = caller.part_of {
            still_wanted(tx, parent, epoch).await?;
            new.job.parent = Some(parent);
            // Whoever waits for one site goes before a run over many.
            new.job.priority = PART_PRIORITY;
        }
        let account = new.job.account;
        let environment = new.job.environment;
        let kind = new.job.kind.clone();
        let id = enqueue(tx, new.job).await?;
        if let Some(slot) = caller.idempotency {
            idempotency::attach_job(tx, slot.id, &slot.attempt.to_string(), id).await?;
        }
        if let Some(event) = new.event {
            events::emit(
                tx,
                NewEvent {
                    kind: event,
                    account_id: account,
                    environment_id: environment,
                    job_id: Some(id),
                    actor: caller.principal.label().to_owned(),
                    by: caller.principal.by(),
                    address: caller.address.map(|address| address.to_string()),
                    payload: json!({ "job": kind }),
                    ..NewEvent::default()
                },
            )
            .await?;
        }
        Ok(id)
    }

    /// Tells of something a job did.
    pub(crate) async fn emit(
        &self,
        tx: &Tx,
        ctx: &JobContext,
        event: &'static str,
        payload: Value,
    ) -> Result<()> {
        events::emit(
            tx,
            NewEvent {
                kind: event,
                account_id: ctx.account(),
                environment_id: ctx.environment(),
                job_id: Some(ctx.id()),
                actor: "pressroom".to_owned(),
                payload,
                ..NewEvent::default()
            },
        )
        .await?;
        Ok(())
    }

    /// Tells of something that somebody did without a job.
    pub(crate) async fn note(
        &self,
        tx: &Tx,
        caller: &Caller,
        event: &'static str,
        account: Option<AccountId>,
        payload: Value,
    ) -> Result<()> {
        self.note_about(tx, caller, event, account, None, payload)
            .await
    }

    /// The same, of a site.
    pub(crate) async fn note_site(
        &self,
        tx: &Tx,
        caller: &Caller,
        event: &'static str,
        site: &SiteRow,
        payload: Value,
    ) -> Result<()> {
        self.note_site_at(tx, caller, event, site, None, payload)
            .await
    }

    /// The same, of a site that is connected.
    pub(crate) async fn note_site_at(
        &self,
        tx: &Tx,
        caller: &Caller,
        event: &'static str,
        site: &SiteRow,
        environment: Option<EnvironmentId>,
        payload: Value,
    ) -> Result<()> {
        events::emit(
            tx,
            NewEvent {
                kind: event,
                account_id: Some(site.account_id),
                environment_id: environment,
                actor: caller.principal.label().to_owned(),
                by: caller.principal.by(),
                address: caller.address.map(|address| address.to_string()),
                subject: Some(("site", site.short_id.clone())),
                payload,
                ..NewEvent::default()
            },
        )
        .await?;
        Ok(())
    }

    /// The same, of something that programs have a name for.
    pub(crate) async fn note_about(
        &self,
        tx: &Tx,
        caller: &Caller,
        event: &'static str,
        account: Option<AccountId>,
        subject: Option<(&'static str, ShortId)>,
        payload: Value,
    ) -> Result<()> {
        events::emit(
            tx,
            NewEvent {
                kind: event,
                account_id: account,
                environment_id: None,
                job_id: None,
                actor: caller.principal.label().to_owned(),
                by: caller.principal.by(),
                address: caller.address.map(|address| address.to_string()),
                subject,
                payload,
            },
        )
        .await?;
        Ok(())
    }
}

async fn lock(tx: &Tx, place: &Shared) -> Result<()> {
    match place {
        Shared::Domain(domain) => domains::lock(tx, *domain).await?,
        Shared::Home { host, home } => {
            environments::lock_home(tx, *host, home).await?;
        }
    }
    Ok(())
}

fn operation_running() -> Error {
    Error::new(
        Kind::Busy,
        "Another operation is running on this installation",
    )
    .with_code(code::OPERATION_RUNNING)
    .with_hint("wait until it has finished; `pressroom job list` shows it")
}
