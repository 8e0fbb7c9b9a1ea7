//! Exchanging the key that seals secrets, in the order in which nobody is shut out: it is
//! known everywhere before it seals, and the old one goes when nothing is left for it.

use crate::{
    data,
    opened::{open_store, unusable},
};
use pressroom_base::{Kind, keyring::Keyring};
use pressroom_cli::{Exit, Failure, Printer, commands::data::RotateKey, config::Config};
use pressroom_store::{Store, sealed};
use serde_json::json;
use std::time::Duration;

/// Before a key that opens and does not seal yet.
const PREPARED: char = '+';

/// What every process gets to take a new key up before the old one is removed.
const KNOWN_BY_ALL: Duration = Duration::from_mins(2);

/// Does what was asked.
pub async fn run(
    rotate: &RotateKey,
    config: &Config,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    data::refuse_nothing(config)?;
    let mut file = data::KeyFile::open(config)?;
    if rotate.forget {
        return forget(file, rotate.now, config, printer).await;
    }
    let mut lines = file.lines().to_vec();
    let prepared = lines.iter().position(|line| line.starts_with(PREPARED));
    if lines.len() > 1 && (prepared.is_none() || rotate.prepare) {
        return Err(
            Failure::new(Kind::Conflict, "there is more than one key already").with_hint(
                match prepared {
                    None => "`pressroom data rotate-key --forget` removes the older one first",
                    Some(_) => "`pressroom data rotate-key` seals with the one that was prepared",
                },
            ),
        );
    }
    if rotate.prepare {
        lines.push(format!("{PREPARED}{}", Keyring::generate().expose()));
        file.replace(lines)?;
        printer.note(
            "a second key is in the file and opens; bring the file to the other machines, then \
             run `pressroom data rotate-key`",
        );
        return Ok(Exit::Done);
    }
    let next = match prepared {
        Some(place) => lines.remove(place).trim_start_matches(PREPARED).to_owned(),
        None => Keyring::generate().into_inner(),
    };
    lines.insert(0, next);
    // The file first: what is sealed with a key that was lost opens nowhere.
    file.replace(lines)?;
    let store = store(config).await?;
    let found = sealed::renew(&store).await.map_err(unusable)?;
    refuse_shut(&found)?;
    if printer.json() {
        printer.json_line(&json!({ "sealed_anew": found.older, "were_so": found.current }));
    }
    printer.note(&format!(
        "sealed with the new key: {}; the old one still opens. Copy `{}` to where you keep it, and \
         once every server has it: `pressroom data rotate-key --forget`",
        found.older + found.current,
        config.secrets.key_file.display()
    ));
    Ok(Exit::Done)
}

/// Removes the older keys if nothing needs them.
async fn forget(
    mut file: data::KeyFile,
    now: bool,
    config: &Config,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    if file.lines().iter().any(|line| line.starts_with(PREPARED)) {
        return Err(
            Failure::new(Kind::Conflict, "a key was prepared that does not seal yet")
                .with_hint("`pressroom data rotate-key` seals with it"),
        );
    }
    if file.lines().len() == 1 {
        printer.note("there is one key, and it seals");
        return Ok(Exit::Done);
    }
    if file.age() < KNOWN_BY_ALL && !now {
        return Err(Failure::new(
            Kind::Conflict,
            "the new key is younger than two minutes: somebody may still seal with the old one",
        )
        .with_hint("wait, or say `--now` where no server and no other command is running"));
    }
    let store = store(config).await?;
    // Whoever was late has sealed with the old one.
    sealed::renew(&store).await.map_err(unusable)?;
    let left = sealed::look(&store).await.map_err(unusable)?;
    refuse_shut(&left)?;
    if left.older > 0 {
        return Err(Failure::new(
            Kind::Conflict,
            format!(
                "{} secrets were sealed with an older key just now",
                left.older
            ),
        )
        .with_hint("a server does not have the new key yet: bring it the file, then try again"));
    }
    let forgotten = file.lines().len() - 1;
    let newest = file.lines()[..1].to_vec();
    file.replace(newest)?;
    if printer.json() {
        printer.json_line(&json!({ "forgotten": forgotten }));
    }
    printer.note(
        "only the newest key is left. Links to download made with an older one are void, and copies \
         made with it (`data backup`) open with it alone: keep it for as long as you keep them",
    );
    Ok(Exit::Done)
}

async fn store(config: &Config) -> Result<Store, Failure> {
    open_store(config, data::existing_keys(config)?).await
}

fn refuse_shut(found: &sealed::Found) -> Result<(), Failure> {
    if found.shut.is_empty() {
        return Ok(());
    }
    Err(Failure::new(
        Kind::Internal,
        format!("some secrets open with no key: {}", found.shut.join("; ")),
    )
    .with_hint("all others are sealed with the new key; no key was forgotten"))
}
