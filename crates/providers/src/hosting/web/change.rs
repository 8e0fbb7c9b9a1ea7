//! Changes of what is served. Those that wait for each other are made together: a
//! reload costs the same for one domain and for fifty.

use super::{
    Described, WebSite, pool,
    queue::{Change, Outcome},
    server,
};
use crate::hosting::{
    Error, Isolation, LocalHosting, Result,
    daemon::open_files,
    layout::{conf_names, read_if_there, remove_if_there},
    php_server, rotation,
    stack::{Fpm, Nginx, PoolFile, Serving, SiteFile},
    unix_user::web_account,
};
use sha2::{Digest, Sha256};
use std::{
    collections::{BTreeSet, HashMap},
    fs,
    path::Path,
};

/// Has a change made, by ourselves or by who has the turn.
pub async fn ask(hosting: &LocalHosting, change: Change) -> Outcome {
    loop {
        let mut outcome = hosting.queue().push(change.clone());
        let turn = tokio::select! {
            biased;
            answer = &mut outcome => match answer {
                Ok(answer) => return answer,
                // Who had the turn was cancelled.
                Err(_) => continue,
            },
            turn = hosting.turn() => turn?,
        };
        // Ours is among them, unless it was answered in this moment.
        while outcome.is_empty() && !outcome.is_terminated() {
            let batch = hosting.queue().take();
            if batch.is_empty() {
                break;
            }
            let (changes, answers): (Vec<_>, Vec<_>) = batch
                .into_iter()
                .map(|waiting| (waiting.change, waiting.answer))
                .unzip();
            for (outcome, answer) in make(hosting, changes).await.into_iter().zip(answers) {
                let _nobody_waits = answer.send(outcome);
            }
        }
        drop(turn);
        if let Ok(answer) = outcome.try_recv() {
            return answer;
        }
    }
}

/// Serves every described domain in the words of this version, over the addresses and
/// with the certificates there are now. Only called with the turn.
pub async fn renew(hosting: &LocalHosting) -> Result<()> {
    let described = Described::readable(hosting)?;
    if hosting.serving()? == Serving::Php {
        return php_server::start_all(hosting, &described).await;
    }
    let mut plans = Vec::new();
    for described in described {
        if described.released.is_some() {
            continue;
        }
        let domain = described.site.domain.clone();
        match Plan::serve(hosting, described.site) {
            // What is missing on disk was set aside or removed by somebody.
            Ok(plan) if plan.is_changed(hosting)? && plan.is_there(hosting) => plans.push(plan),
            Ok(_) => {}
            Err(error) => tracing::error!(domain, %error, "a domain cannot be served anew"),
        }
    }
    if plans.is_empty() {
        return Ok(());
    }
    if apply(hosting, &plans).await.is_ok() {
        return Ok(());
    }
    for plan in &plans {
        if let Err(error) = apply(hosting, std::slice::from_ref(plan)).await {
            tracing::error!(domain = plan.domain, %error, "a domain stays as it was served");
        }
    }
    Ok(())
}

/// Makes changes together. When that fails each is made for itself, so that one bad
/// description costs nobody else anything.
async fn make(hosting: &LocalHosting, changes: Vec<Change>) -> Vec<Outcome> {
    let mut taken = match Taken::read(hosting) {
        Ok(taken) => taken,
        Err(error) => return refuse_all(changes.len(), error),
    };
    let mut plans: Vec<Result<Plan>> = changes
        .into_iter()
        .map(|change| plan(hosting, change, &mut taken))
        .collect();
    let good: Vec<&Plan> = plans.iter().filter_map(|plan| plan.as_ref().ok()).collect();
    let together = match good.len() {
        0 => Ok(()),
        _ => {
            apply(
                hosting,
                &good.iter().map(|plan| (*plan).clone()).collect::<Vec<_>>(),
            )
            .await
        }
    };
    let alone = good.len() == 1;
    let mut together = Some(together);
    let mut outcomes = Vec::new();
    for plan in plans.drain(..) {
        let plan = match plan {
            Ok(plan) => plan,
            Err(error) => {
                outcomes.push(Err(error));
                continue;
            }
        };
        let outcome = match &together {
            Some(Ok(())) => Ok(()),
            Some(Err(_)) if alone => together.take().unwrap_or(Ok(())),
            _ => apply(hosting, std::slice::from_ref(&plan)).await,
        };
        outcomes.push(outcome.map(|()| plan.existed));
    }
    outcomes
}

fn refuse_all(count: usize, error: Error) -> Vec<Outcome> {
    let message = error.to_string();
    let mut outcomes: Vec<Outcome> = (1..count)
        .map(|_| Err(Error::BadSite(message.clone())))
        .collect();
    outcomes.insert(0, Err(error));
    outcomes
}

/// Names that are served, and the domains that serve them.
struct Taken {
    names: HashMap<String, String>,
    domains: BTreeSet<String>,
}

impl Taken {
    fn read(hosting: &LocalHosting) -> Result<Self> {
        let layout = hosting.layout();
        let mut taken = Self {
            names: HashMap::new(),
            domains: conf_names(&layout.pools())?.into_iter().collect(),
        };
        for described in Described::all(hosting)? {
            let domain = described.site.domain.clone();
            for name in described.site.names() {
                taken.names.insert(name.to_owned(), domain.clone());
            }
            taken.domains.insert(domain);
        }
        // Also what an operator put there.
        for file in conf_names(&layout.sites())? {
            let Some(bytes) = read_if_there(&layout.site(&file))? else {
                continue;
            };
            for name in server::names_of(&String::from_utf8_lossy(&bytes)) {
                taken
                    .names
                    .entry(name.to_owned())
                    .or_insert_with(|| file.clone());
            }
        }
        Ok(taken)
    }
}

fn plan(hosting: &LocalHosting, change: Change, taken: &mut Taken) -> Result<Plan> {
    let domain = change.domain().to_owned();
    let described = Described::read(hosting, &domain)?;
    if described
        .as_ref()
        .is_some_and(|described| described.released.is_some())
    {
        return Err(Error::Released {
            what: "domain",
            name: domain,
        });
    }
    let site = match change {
        Change::Remove(domain) => return Ok(Plan::remove(hosting, domain)),
        Change::Pause(domain) => {
            return Ok(Plan {
                paused: true,
                ..Plan::remove(hosting, domain)
            });
        }
        Change::Serve(site) => *site,
        Change::Network(_, directory, network) => {
            let mut site = still_served(described, &domain)?;
            site.set_network(&directory, network);
            site
        }
        Change::Protected(_, directory, wanted) => {
            let mut site = still_served(described, &domain)?;
            site.set_protected(&directory, wanted);
            site
        }
    };
    // nginx serves a name from whichever block it read first.
    for name in site.names() {
        if let Some(other) = taken.names.get(name).filter(|other| **other != domain) {
            return Err(Error::BadSite(format!(
                "`{name}` is a name of `{other}` already"
            )));
        }
    }
    let max = bound(hosting);
    if !taken.domains.contains(&domain) && taken.domains.len() >= max {
        return Err(Error::Full(max));
    }
    let plan = Plan::serve(hosting, site)?;
    taken.domains.insert(domain.clone());
    let names = plan.site.iter().flat_map(WebSite::names);
    taken
        .names
        .extend(names.map(|name| (name.to_owned(), domain.clone())));
    Ok(plan)
}

fn still_served(described: Option<Described>, domain: &str) -> Result<WebSite> {
    described
        .map(|described| described.site)
        .ok_or_else(|| Error::BadSite(format!("`{domain}` is not served any more")))
}

/// As many as configured, and as php-fpm's first process can hold sockets of.
fn bound(hosting: &LocalHosting) -> usize {
    const BESIDES: u64 = 64;
    let sockets = open_files().saturating_sub(BESIDES);
    let sockets = usize::try_from(sockets).unwrap_or(usize::MAX);
    hosting.config().max_domains.min(sockets)
}

/// The files that a change comes to.
#[derive(Debug, Clone)]
struct Plan {
    domain: String,
    /// `None`: the domain is removed.
    site: Option<WebSite>,
    pool: Option<String>,
    server: Option<String>,
    hash: String,
    existed: bool,
    /// What is its own stays, for when it is served again.
    paused: bool,
}

impl Plan {
    fn serve(hosting: &LocalHosting, site: WebSite) -> Result<Self> {
        let existed = exists(hosting, &site.domain);
        if hosting.serving()? == Serving::Php {
            return Ok(Self {
                domain: site.domain.clone(),
                site: Some(site),
                pool: None,
                server: None,
                hash: String::new(),
                existed,
                paused: false,
            });
        }
        // A pool of nobody's would end php-fpm, or be set aside without a word.
        if let Some(user) = &site.user
            && hosting.user(&user.name)?.as_ref() != Some(user)
        {
            return Err(Error::BadSite(format!(
                "there is no Unix user `{}` with the number {}",
                user.name, user.uid
            )));
        }
        let web = match hosting.config().isolation {
            Isolation::UnixUsers => Some(web_account()?),
            Isolation::None => None,
        };
        let layout = hosting.layout();
        let socket = layout.pool_socket(&site.key())?;
        let certificate = match &site.tls {
            Some(tls) => Some(digest(&[&tls.certificate, &tls.key])?),
            None => None,
        };
        let server = server::render(
            &site,
            &server::Ground {
                pool: &socket,
                http: hosting.http_addr()?,
                https: hosting.config().https_addr,
                control: &layout.control_socket()?,
                access_log: &layout.access_log(&site.domain),
                certificate: certificate.as_deref(),
            },
        );
        Ok(Self {
            domain: site.domain.clone(),
            pool: Some(pool::render(&site, &socket, web.as_ref())),
            site: Some(site),
            server: Some(server.text),
            hash: server.hash,
            existed,
            paused: false,
        })
    }

    fn remove(hosting: &LocalHosting, domain: String) -> Self {
        let hash = SiteFile::absent(&domain).hash;
        Self {
            existed: exists(hosting, &domain),
            domain,
            site: None,
            pool: None,
            server: None,
            hash,
            paused: false,
        }
    }

    fn is_there(&self, hosting: &LocalHosting) -> bool {
        let layout = hosting.layout();
        layout.pool(&self.domain).exists() && layout.site(&self.domain).exists()
    }

    fn is_changed(&self, hosting: &LocalHosting) -> Result<bool> {
        let layout = hosting.layout();
        let pool = read_if_there(&layout.pool(&self.domain))?;
        let server = read_if_there(&layout.site(&self.domain))?;
        Ok(pool.as_deref() != self.pool.as_ref().map(String::as_bytes)
            || server.as_deref() != self.server.as_ref().map(String::as_bytes))
    }

    fn pool_file(&self) -> PoolFile<'_> {
        PoolFile {
            domain: &self.domain,
            content: self.pool.clone(),
        }
    }
}

fn exists(hosting: &LocalHosting, domain: &str) -> bool {
    let layout = hosting.layout();
    [
        layout.described(domain),
        layout.pool(domain),
        layout.site(domain),
    ]
    .iter()
    .any(|path| path.exists())
}

/// Makes all of these changes or none.
async fn apply(hosting: &LocalHosting, plans: &[Plan]) -> Result<()> {
    // First what is written down: who is interrupted later is finished by `up` or
    // undone by a removal, and a domain that is being removed never comes back.
    let mut before = Vec::new();
    for plan in plans {
        before.push(Described::read(hosting, &plan.domain)?);
    }
    for plan in plans {
        match &plan.site {
            Some(site) => Described {
                site: site.clone(),
                released: None,
            }
            .write(hosting)?,
            None => {
                Described::remove(hosting, &plan.domain)?;
            }
        }
    }
    let applied = match hosting.serving()? {
        Serving::Stack => apply_to_stack(hosting, plans).await,
        Serving::Php => apply_to_php(hosting, plans, &before).await,
    };
    if applied.is_err() {
        for (plan, before) in plans.iter().zip(before) {
            match before {
                Some(before) => before.write(hosting)?,
                None => {
                    Described::remove(hosting, &plan.domain)?;
                }
            }
        }
        return applied;
    }
    for plan in plans
        .iter()
        .filter(|plan| plan.site.is_none() && !plan.paused)
    {
        rotation::remove(&hosting.layout().access_log(&plan.domain))?;
    }
    Ok(())
}

/// New pools before the server blocks that hand requests to them, and old ones after.
async fn apply_to_stack(hosting: &LocalHosting, plans: &[Plan]) -> Result<()> {
    let layout = hosting.layout();
    let (serve, remove): (Vec<_>, Vec<_>) = plans.iter().partition(|plan| plan.site.is_some());
    let mut before = Vec::new();
    for plan in &serve {
        before.push((plan, read_if_there(&layout.pool(&plan.domain))?));
    }
    if !serve.is_empty() {
        let pools: Vec<_> = serve.iter().map(|plan| plan.pool_file()).collect();
        Fpm::of(hosting).change(&pools).await?;
    }
    let blocks: Vec<_> = plans
        .iter()
        .map(|plan| SiteFile {
            domain: &plan.domain,
            content: plan.server.clone(),
            hash: plan.hash.clone(),
        })
        .collect();
    if let Err(error) = Nginx::of(hosting).change(&blocks).await {
        let pools: Vec<_> = before
            .into_iter()
            .map(|(plan, bytes)| PoolFile {
                domain: &plan.domain,
                content: bytes.and_then(|bytes| String::from_utf8(bytes).ok()),
            })
            .collect();
        if let Err(again) = Fpm::of(hosting).change(&pools).await {
            tracing::error!(error = %again, "the previous pools are not loaded again");
        }
        return Err(error);
    }
    if remove.is_empty() {
        return Ok(());
    }
    let mut sockets = Vec::new();
    for plan in &remove {
        let pool = read_if_there(&layout.pool(&plan.domain))?;
        sockets.extend(pool.and_then(|bytes| pool::socket_of(&String::from_utf8_lossy(&bytes))));
    }
    let pools: Vec<_> = remove.iter().map(|plan| plan.pool_file()).collect();
    Fpm::of(hosting).change(&pools).await?;
    for socket in sockets {
        // php-fpm removes it by itself, unless it was killed in between.
        remove_if_there(&socket)?;
    }
    for plan in remove {
        remove_if_there(&layout.pool(&plan.domain).with_extension("orphan"))?;
    }
    Ok(())
}

async fn apply_to_php(
    hosting: &LocalHosting,
    plans: &[Plan],
    before: &[Option<Described>],
) -> Result<()> {
    for (done, plan) in plans.iter().enumerate() {
        let applied = match &plan.site {
            Some(site) => php_server::serve(hosting, site).await,
            None if plan.paused => php_server::stop(hosting, &plan.domain).await,
            None => php_server::remove(hosting, &plan.domain).await,
        };
        let Err(error) = applied else { continue };
        for (plan, before) in plans.iter().zip(before).take(done + 1) {
            let undone = match before {
                Some(before) => php_server::serve(hosting, &before.site).await,
                None => php_server::remove(hosting, &plan.domain).await,
            };
            if let Err(again) = undone {
                tracing::error!(domain = plan.domain, error = %again, "a server is not as it was");
            }
        }
        return Err(error);
    }
    Ok(())
}

fn digest(files: &[&Path]) -> Result<String> {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(fs::read(file).map_err(Error::io("read", file))?);
    }
    Ok(hex::encode(&hash.finalize()[..16]))
}
