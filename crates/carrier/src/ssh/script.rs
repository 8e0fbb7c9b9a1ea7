//! Scripts that ask a host something, and how their answer is found among whatever else
//! an account prints.

use super::{
    Remote, account,
    channel::{self, Running},
    error::{Error, Result},
    shell,
};
use std::time::Duration;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWriteExt},
    time,
};

/// How much may be printed before and in an answer.
const MOST: u64 = 256 * 1024;

/// A constant text for `sh`.
pub(super) struct Script {
    /// The text.
    pub(super) text: &'static str,
    /// How long it may take.
    pub(super) deadline: Duration,
    /// Whether root may run it: it looks, and runs nothing of a site.
    pub(super) as_root: bool,
}

impl Script {
    /// Starts it on a host as the remote's user. What is written to its input follows
    /// the script.
    pub(super) async fn start(&self, remote: &Remote, words: &[&str]) -> Result<Running> {
        remote.check(self.as_root)?;
        let address = &remote.route.host.address;
        let command =
            shell::command(&remote.run_as, self.text.len(), words).ok_or_else(|| Error::Home {
                home: words.last().copied().unwrap_or_default().into(),
            })?;
        let slot = remote.hosts.channel(remote.id, &remote.route).await?;
        let patience = remote.hosts.limits().connect;
        let mut running = channel::run(address, slot, command, patience).await?;
        // A failure shows as the end of what can be read.
        let _ = running.input.write_all(self.text.as_bytes()).await;
        Ok(running)
    }

    /// Runs it to its end, with `data` as its input; answers what it said. Its first
    /// word is the mark that [`find`] looks for.
    pub(super) async fn ask(
        &self,
        remote: &Remote,
        words: &[&str],
        data: &mut (dyn AsyncRead + Unpin + Send),
    ) -> Result<String> {
        let address = &remote.route.host.address;
        let mark = pressroom_base::token::hex(32);
        let words = [&[mark.as_str()], words].concat();
        let Running {
            mut input,
            output,
            errors,
            exit,
            control,
        } = self.start(remote, &words).await?;
        let send = async {
            // One that ends before it has read all has its reasons, and says them.
            let _ = tokio::io::copy(data, &mut input).await;
            let _ = input.shutdown().await;
        };
        let mut said = Vec::new();
        let hear = {
            // Its end goes with it: what nobody reads would keep other channels waiting.
            let (mut output, said) = (output.take(MOST), &mut said);
            async move { output.read_to_end(said).await }
        };
        let talk = async {
            tokio::pin!(hear);
            tokio::select! {
                heard = &mut hear => heard,
                () = send => hear.await,
            }
        };
        let heard = time::timeout(self.deadline, talk).await;
        let status = match heard {
            Ok(_) => exit.status().await,
            Err(_) => None,
        };
        control.end().await;
        if let Some(answer) = find(&said, &mark) {
            return Ok(answer);
        }
        if let Some(why) = exit.cut() {
            return Err(Error::Lost {
                address: address.clone(),
                why,
            });
        }
        if heard.is_err() && (said.is_empty() || has_begun(&said, &mark)) {
            return Err(Error::Silent {
                address: address.clone(),
                after: self.deadline,
            });
        }
        let said = format!("{}\n{}", String::from_utf8_lossy(&said), errors.text());
        Err(account::recognise(
            address,
            &remote.run_as,
            said.trim(),
            status,
        ))
    }
}

/// Whether the script was run at all: its first line stands there.
fn has_begun(said: &[u8], mark: &str) -> bool {
    String::from_utf8_lossy(said).contains(&format!("PRESSROOM-ANSWER {mark}\n"))
}

/// The text between `PRESSROOM-ANSWER mark` and `PRESSROOM-END mark`. Nobody can have
/// printed the mark before it was drawn, and an echo of the command lacks the word
/// before it.
fn find(said: &[u8], mark: &str) -> Option<String> {
    let said = String::from_utf8_lossy(said);
    let (_, after) = said.split_once(&format!("PRESSROOM-ANSWER {mark}\n"))?;
    let (answer, _) = after.split_once(&format!("PRESSROOM-END {mark}"))?;
    Some(answer.to_owned())
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn an_answer_is_found_in_noise() {
        let noise = "welcome\u{7}\n".repeat(1200);
        let said = format!(
            "{noise}+ sh -c x 77\nPRESSROOM-ANSWER 76\nno\nPRESSROOM-END 76\n\
             tick PRESSROOM-ANSWER 77\nyes\nmore\nPRESSROOM-END 77\nbye"
        );
        assert_eq!(find(said.as_bytes(), "77").as_deref(), Some("yes\nmore\n"));
        assert_eq!(find(said.as_bytes(), "78"), None);
        assert_eq!(find(&said.as_bytes()[..said.len() - 20], "77"), None);
    }
}
