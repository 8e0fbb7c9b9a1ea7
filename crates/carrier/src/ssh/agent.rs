//! How the agent gets to a host, and away from it.
//!
//! It lies in the user's own directory, which nobody else may write to, under the first
//! digits of its hash. Every start compares the whole hash; an upload becomes visible
//! by a rename, after what arrived was hashed and run once.

use super::{Remote, Result, error::Error, script::Script};
use std::time::{Duration, Instant};
use tokio::fs::File;

const UPLOAD: Script = Script {
    text: include_str!("upload.sh"),
    deadline: Duration::from_mins(15),
    as_root: false,
};
const REMOVE: Script = Script {
    text: include_str!("remove.sh"),
    deadline: Duration::from_mins(1),
    as_root: false,
};

/// Puts the agent in place, unless somebody did since `missed`, when it was not there.
pub(super) async fn bring(remote: &Remote, missed: Instant) -> Result<()> {
    let uploads = remote.hosts.uploads(remote.id);
    let mut uploads = uploads.lock().await;
    let whose = remote.whose_agent();
    if uploads.get(&whose).is_some_and(|last| *last >= missed) {
        return Ok(());
    }
    upload(remote).await?;
    uploads.insert(whose, Instant::now());
    Ok(())
}

async fn upload(remote: &Remote) -> Result<()> {
    let agent = &remote.agent;
    let address = remote.route.host.address.clone();
    let mut file = File::open(agent.path())
        .await
        .map_err(|source| Error::Program {
            path: agent.path().to_owned(),
            source,
        })?;
    let (needed, machine) = (agent.bytes(), agent.machine());
    let words = [agent.hash(), &needed.to_string(), &machine];
    let answer = UPLOAD.ask(remote, &words, &mut file).await?;
    let (verdict, rest) = match answer.trim().split_once(' ') {
        Some((verdict, rest)) => (verdict, rest.trim().to_owned()),
        None => (answer.trim(), String::new()),
    };
    Err(match verdict {
        "placed" => {
            tracing::info!(host = %address, bytes = needed, "agent uploaded");
            return Ok(());
        }
        "root" => Error::AsRoot { address },
        "machine" => Error::Machine {
            address,
            theirs: rest,
            ours: machine,
        },
        "missing" => Error::Missing {
            address,
            program: rest,
        },
        "unsafe" => Error::UnsafeDirectory { address },
        "space" => Error::NoSpace {
            address,
            needed,
            free: rest.parse().unwrap_or_default(),
        },
        "noexec" => Error::NoExec { address },
        "damaged" => Error::Upload {
            address,
            said: "what arrived is not what was sent".to_owned(),
        },
        _ => Error::Upload {
            address,
            said: rest,
        },
    })
}

impl Remote {
    /// Removes every agent of ours from the user's directory; answers how many there
    /// were.
    pub async fn remove_agent(&self) -> Result<u64> {
        let answer = REMOVE.ask(self, &[], &mut tokio::io::empty()).await?;
        Ok(answer.trim().parse().unwrap_or_default())
    }
}
