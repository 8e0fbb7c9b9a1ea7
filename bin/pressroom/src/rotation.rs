//! Exchanging the key that seals secrets, in the order in which nobody is shut out: it is
//! known everywhere before it seals, and the old one goes when nothing is left for it.

use crate::{
    copies::{open_store, unusable},
    data,
};
use pressroom_base::{Kind, keyring::Keyring};
use pressroom_cli::{Exit, Failure, Printer, commands::data::RotateKey, config::Config};
use pressroom_store::{Store, sealed};
use serde_json::json;

/// Before a key that opens and does not seal yet.
const PREPARED: char = '+';

/// Does what was asked.
pub async fn run(
    rotate: &RotateKey,
    config: &Config,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    let mut lines = data::key_lines(config)?;
    if rotate.forget {
        return forget(lines, config, printer).await;
    }
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
        data::write_keys(config, &lines)?;
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
    data::write_keys(config, &lines)?;
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
    mut lines: Vec<String>,
    config: &Config,
    printer: &mut Printer,
) -> Result<Exit, Failure> {
    if lines.len() == 1 {
        printer.note("there is one key, and it seals");
        return Ok(Exit::Done);
    }
    let store = store(config).await?;
    // A server that did not know the new key yet may have sealed with the old one.
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
    let forgotten = lines.len() - 1;
    lines.truncate(1);
    data::write_keys(config, &lines)?;
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
