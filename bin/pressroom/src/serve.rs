//! `pressroom serve`: listen, run jobs, and stop without dropping anything.

use crate::{
    connections, data,
    forwarded::Proxies,
    http::{self, Turnstile},
    instruments,
    listener::{Certificates, Listener, Places},
    logging, presence,
    presence::Presence,
    reload::{self, Reload},
    wire,
    wire::{AGAIN, Wired},
};
use pressroom_base::Kind;
use pressroom_cli::{
    Exit, Failure,
    commands::serve::Role,
    config::{Config, Rotate},
};
use pressroom_fleet::{Fleet, Selecting, mail::Mailer, webhooks::Courier};
use pressroom_jobs::{Runner, RunnerConfig};
use pressroom_providers::{hosting::LocalHosting, probe::Prober, tls};
use pressroom_store::{Signal, Store, jobs::orphans};
use std::{
    error::Error,
    future::Future,
    io::{self, IsTerminal, Write},
    path::Path,
    process,
    time::{Duration, Instant},
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::broadcast::error::RecvError,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// What a job that was told to stop gets to undo what it began.
const GRACE: Duration = Duration::from_secs(20);

/// Jobs at once that wait for others; they cost next to nothing.
const COORDINATORS: usize = 16;

/// Between looks at the hosting stack.
const GUARD: Duration = Duration::from_secs(15);

/// Between looks at old logs.
const PRUNE: Duration = Duration::from_mins(10);

/// Between rounds of housekeeping.
const TIDY: Duration = Duration::from_mins(5);
const MAINTAIN: Duration = Duration::from_mins(2);

/// What answers get to reach their readers once all requests are answered.
const LAST_BYTES: Duration = Duration::from_secs(1);

/// Serves until somebody asks it to stop.
pub async fn run(config: &Config, role: Role, reload: Reload) -> Result<Exit, Failure> {
    let stop = CancellationToken::new();
    listen_for_signals(&stop)?;
    // Before anything that takes time: unheard, it would end the process.
    let hangups = reload::signals()?;
    let metrics = instruments::install()?;
    // Before anything makes a client: there is one cryptography provider.
    tls::install();
    let certificates = config
        .http
        .tls
        .as_ref()
        .map(Certificates::open)
        .transpose()?;
    // A taken address is told before anything is opened.
    let socket = TcpListener::bind(config.listen).await.map_err(|error| {
        Failure::new(
            Kind::Conflict,
            format!("cannot listen on `{}`", config.listen),
        )
        .because(&error)
        .with_hint("say another address with `--listen`, or stop what is using it")
    })?;
    let address = socket.local_addr().unwrap_or(config.listen);
    connections::allow_files(config.http.max_connections);
    let proxies = Proxies::new(config.http.trusted_proxies.clone());
    let places = Places::new(&config.http, proxies.clone());
    let listener = match &certificates {
        None => Listener::plain(socket, places),
        Some(certificates) => Listener::tls(socket, places, certificates.current()),
    };
    let wired = wire::open(config, Selecting::FromPicture).await?;

    let turnstile = Turnstile::new(config.http.max_requests);
    let faces = role
        .is_web()
        .then(|| http::faces(&wired.fleet, config, turnstile.clone()));
    let started = CancellationToken::new();
    if !role.is_worker() {
        // Only a worker has a stack to bring up.
        started.cancel();
    }
    let watch = http::watch(
        wired.fleet.clone(),
        metrics.clone(),
        started.clone(),
        stop.clone(),
    );
    let mut server = tokio::spawn(connections::serve(
        listener,
        http::all(faces, watch, proxies.clone()),
        config.http.idle,
        stop.clone(),
    ));
    if let Some(file) = config
        .log
        .file
        .clone()
        .filter(|file| file.rotate != Rotate::Never)
    {
        background(&stop, "old logs", async move {
            loop {
                logging::prune(&file);
                sleep(PRUNE).await;
            }
        });
    }
    background(&stop, "keys", follow_keys(wired.store.clone()));
    let scheme = if certificates.is_some() {
        "https"
    } else {
        "http"
    };
    if let Some(certificates) = certificates.clone() {
        background(&stop, "certificate", certificates.watch());
    }
    let follows = reload::Parts {
        proxies,
        certificates,
    };
    background(
        &stop,
        "configuration",
        reload.listen(hangups, config.clone(), follows),
    );
    background(&stop, "metrics", async move {
        loop {
            sleep(Duration::from_secs(5)).await;
            metrics.run_upkeep();
        }
    });
    if !role.is_worker() {
        // A runner listens itself.
        let store = wired.store.clone();
        background(&stop, "wake-up calls", async move {
            loop {
                if let Err(error) = store.listen().await {
                    tracing::warn!(%error, "other processes are not heard, polling goes on");
                }
                sleep(AGAIN).await;
            }
        });
    }
    if role.is_worker() {
        background(
            &stop,
            "events",
            deliver(wired.fleet.clone(), wired.store.clone()),
        );
        background(&stop, "housekeeping", tidy(wired.fleet.clone()));
        background(&stop, "maintenance", maintain(wired.fleet.clone()));
        let fleet = wired.fleet.clone();
        background(
            &stop,
            "health checks",
            async move { fleet.watch_health().await },
        );
        let fleet = wired.fleet.clone();
        background(&stop, "pipelines", async move {
            fleet.watch_pipelines().await;
        });
        let fleet = wired.fleet.clone();
        background(&stop, "update policies", async move {
            fleet.watch_policies().await;
        });
    }
    let fleet = wired.fleet.clone();
    let senders = role.is_worker().then(|| {
        let courier = Courier::new(wired.fleet.clone()).run(stop.clone());
        let mailer = Mailer::new(wired.fleet.clone()).run(stop.clone());
        tokio::spawn(async { tokio::join!(courier, mailer) })
    });
    let worker = role
        .is_worker()
        .then(|| tokio::spawn(work(wired, config.clone(), started, stop.clone())));
    if role.is_web() {
        offer_set_up(&fleet, config).await;
    }
    tracing::info!(
        role = role.as_str(),
        "pressroom {} listens on {scheme}://{address}",
        env!("CARGO_PKG_VERSION")
    );

    tokio::select! {
        // Asked to stop, the listener ends at the same moment: that is no failure.
        biased;
        () = stop.cancelled() => {}
        ended = &mut server => {
            return Err(match ended {
                Ok(()) => Failure::new(Kind::Internal, "the listener ended"),
                Err(error) => Failure::local("the listener failed", &error),
            });
        }
    }
    tracing::info!(
        "stopping: running requests and jobs get {} s",
        config.jobs.drain.as_secs()
    );
    let drained = timeout(config.jobs.drain + GRACE, async {
        turnstile.empty().await;
        if let Some(worker) = worker {
            let _ = worker.await;
        }
        if let Some(senders) = senders {
            let _ = senders.await;
        }
    });
    if drained.await.is_err() {
        tracing::warn!("stopped with work unfinished; it is taken up again by whoever runs next");
    }
    // A page that listens for news never ends by itself.
    let _ = timeout(LAST_BYTES, &mut server).await;
    server.abort();
    tracing::info!("stopped");
    Ok(Exit::Done)
}

/// Where nobody is known yet: a link that adds the first person, in a file that only the
/// data's owner may read, and on the terminal where somebody watches. Not in the log,
/// which others may read.
async fn offer_set_up(fleet: &Fleet, config: &Config) {
    let secret = match fleet.set_up_secret().await {
        Ok(Some(secret)) => secret,
        Ok(None) => return data::drop_set_up_link(config),
        Err(error) => {
            return tracing::warn!(error = chain(&error), "no link to set up with was made");
        }
    };
    let link = format!("{}/set-up/{}", config.public_url, secret.expose());
    match data::keep_set_up_link(config, &link) {
        Ok(file) => tracing::info!(
            "nobody is known here yet: open the link in `{}`, or use `pressroom user add`",
            file.display()
        ),
        Err(failure) => tracing::warn!("{}", failure.to_text()),
    }
    let mut terminal = io::stderr();
    if terminal.is_terminal() {
        let _ = writeln!(terminal, "\nSet up Pressroom at {link}\n");
    }
}

/// Hands events to their consumers as soon as they are heard of, and looks anyway
/// every few seconds: a signal is a hint, never the truth.
async fn deliver(fleet: Fleet, store: Store) {
    let mut signals = store.signals();
    loop {
        if let Err(error) = fleet.deliver_events().await {
            tracing::warn!(error = chain(&error), "events wait for their consumers");
            sleep(AGAIN).await;
        }
        let heard = async {
            while !matches!(
                signals.recv().await,
                Ok(Signal::Event) | Err(RecvError::Lagged(_) | RecvError::Closed)
            ) {}
        };
        let _ = timeout(AGAIN, heard).await;
    }
}

/// Takes up the keys that seal secrets as they are exchanged.
async fn follow_keys(store: Store) {
    loop {
        match store.look_for_keys() {
            Ok(true) => tracing::debug!("the keys that seal secrets were read"),
            Ok(false) => {}
            Err(error) => tracing::error!(%error, "the keys that seal secrets cannot be read"),
        }
        sleep(AGAIN).await;
    }
}

/// Forgets what has lapsed, every few minutes.
async fn tidy(fleet: Fleet) {
    loop {
        if let Err(error) = fleet.tidy().await {
            tracing::warn!(
                error = chain(&error),
                "housekeeping failed, it is tried again"
            );
        }
        if let Err(error) = fleet.sweep_health_checks().await {
            tracing::warn!(
                error = chain(&error),
                "old health checks were not removed, it is tried again"
            );
        }
        if let Err(error) = fleet.expire_snapshots().await {
            tracing::warn!(
                error = chain(&error),
                "the archive was not tidied, it is tried again"
            );
        }
        sleep(TIDY).await;
    }
}

/// Prolongs the maintenance of sites that are to stay in it, well before it lapses.
async fn maintain(fleet: Fleet) {
    loop {
        if let Err(error) = fleet.renew_maintenance().await {
            tracing::warn!(
                error = chain(&error),
                "maintenance was not prolonged, it is tried again"
            );
        }
        sleep(MAINTAIN).await;
    }
}

/// Brings the stack up and runs jobs until asked to stop.
async fn work(wired: Wired, config: Config, started: CancellationToken, stop: CancellationToken) {
    // Held until the work is over.
    let _presence = match Presence::announce(&config.data, &wired.node) {
        Ok(presence) => Some(presence),
        Err(failure) => {
            tracing::warn!("{}", failure.to_text());
            None
        }
    };
    take_over(&wired.store, &config.data).await;
    // Jobs that need no site run also where the stack does not start.
    bring_up(&wired.hosting, &wired.prober).await;
    started.cancel();
    background(
        &stop,
        "hosting",
        guard(wired.hosting.clone(), wired.prober.clone()),
    );
    let jobs = &config.jobs;
    let runner = |kinds, concurrency| {
        let config = RunnerConfig {
            lease: jobs.lease,
            heartbeat: jobs.heartbeat,
            poll: jobs.poll,
            concurrency,
            holder: wired.node.clone(),
            drain: jobs.drain,
            grace: GRACE,
        };
        Runner::new(wired.store.clone(), kinds, config).run(stop.clone())
    };
    tokio::join!(
        runner(wired.fleet.working_kinds(), jobs.workers),
        runner(wired.fleet.coordinating_kinds(), COORDINATORS),
    );
}

/// Lets jobs of workers that were killed be taken up now. One that cannot be is taken up when
/// its lease lapses.
async fn take_over(store: &Store, data: &Path) {
    let gone = match presence::gone(data) {
        Ok(gone) => gone,
        Err(error) => return tracing::warn!(%error, "who worked here before is not known"),
    };
    for worker in gone {
        match orphans::lapse(store, &worker.holder).await {
            Ok(jobs) => {
                tracing::warn!(jobs, "the worker {} was killed", worker.holder);
                if let Err(error) = worker.forget() {
                    tracing::warn!(%error, "a worker that is gone is not forgotten");
                }
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "jobs of a worker that is gone wait");
            }
        }
    }
}

/// Brings daemons of the stack that died up again: their sites are down meanwhile.
async fn guard(hosting: LocalHosting, prober: Prober) {
    loop {
        sleep(GUARD).await;
        if let Err(error) = hosting.rotate_logs().await {
            tracing::warn!(error = chain(&error), "logs were not rotated");
        }
        if !hosting.status().await.is_up() {
            tracing::warn!("a daemon of the hosting stack is down, it is started again");
            bring_up(&hosting, &prober).await;
        }
    }
}

async fn bring_up(hosting: &LocalHosting, prober: &Prober) {
    let started = Instant::now();
    match hosting.up().await {
        Ok(status) => {
            if let Some(address) = status.http_addr {
                prober.register(address);
                tracing::info!(
                    duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                    "sites are served on http://{address}"
                );
            }
        }
        Err(error) => {
            tracing::error!(
                error = chain(&error),
                "the hosting stack does not start, `pressroom doctor` says more"
            );
        }
    }
}

/// An error with its causes, for the log.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Runs beside everything else until the process stops.
fn background(
    stop: &CancellationToken,
    name: &'static str,
    work: impl Future<Output = ()> + Send + 'static,
) {
    let stop = stop.clone();
    tokio::spawn(async move {
        if stop.run_until_cancelled(work).await.is_some() {
            tracing::debug!("{name}: done");
        }
    });
}

/// The first signal asks for an orderly end, the second does not wait for one.
fn listen_for_signals(stop: &CancellationToken) -> Result<(), Failure> {
    let failed = |error| Failure::local("signals cannot be heard", &error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
    let stop = stop.clone();
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            if stop.is_cancelled() {
                process::exit(Exit::Interrupted.code().into());
            }
            stop.cancel();
        }
    });
    Ok(())
}
