//! What a closer look sees of a site's pages: WordPress' own entrances.

use super::{
    Check, CheckName, Verdict,
    pages::{Answer, Pages, Unasked},
};
use pressroom_providers::probe::Probe;

/// Where WordPress answers programs, with pretty addresses and without.
const REST: [&str; 2] = ["/wp-json/", "/?rest_route=/"];

/// Where one signs in, as far as we know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Login {
    /// Where WordPress has it.
    Usual,
    /// We moved it there.
    At(String),
}

impl Pages<'_> {
    /// Looks at the entrances.
    pub(super) async fn look_closer(&self, login: &Login) -> [Check; 2] {
        let (rest, page) = tokio::join!(self.rest(), self.login(login));
        [rest, page]
    }

    async fn rest(&self) -> Check {
        let mut last = None;
        for path in REST {
            let answer = self.made(path).await;
            if answer.as_ref().is_ok_and(|probe| probe.json) {
                return Check::new(CheckName::RestApi, Verdict::Passed, "it answers with JSON");
            }
            // One that is not there may be at the other address.
            let is_missing = answer.as_ref().is_ok_and(|probe| probe.status == Some(404));
            last = Some(answer);
            if !is_missing {
                break;
            }
        }
        last.map_or_else(
            || Check::skipped(CheckName::RestApi, "it was not asked"),
            |answer| rest_without_json(&answer),
        )
    }

    async fn login(&self, login: &Login) -> Check {
        let path = match login {
            Login::Usual => "/wp-login.php",
            Login::At(path) => path,
        };
        let answer = self.made(path).await;
        login_page(&answer, login)
    }
}

fn rest_without_json(answer: &Answer) -> Check {
    let probe = match read(CheckName::RestApi, answer) {
        Ok(probe) => probe,
        Err(check) => return check,
    };
    match probe.status {
        Some(status @ (401 | 403 | 404)) => Check::skipped(
            CheckName::RestApi,
            format!("visitors are refused it, with status {status}"),
        ),
        Some(status) => Check::new(
            CheckName::RestApi,
            Verdict::Warning,
            format!("it answers without JSON, with status {status}"),
        ),
        None => Check::skipped(CheckName::RestApi, "it was not asked"),
    }
}

fn login_page(answer: &Answer, login: &Login) -> Check {
    let probe = match read(CheckName::LoginPage, answer) {
        Ok(probe) => probe,
        Err(check) => return check,
    };
    let status = probe.status.unwrap_or(0);
    match (login, probe.login_form) {
        (Login::Usual, true) => {
            Check::new(CheckName::LoginPage, Verdict::Passed, "it shows its form")
        }
        (Login::At(path), true) => Check::new(
            CheckName::LoginPage,
            Verdict::Passed,
            format!("it shows its form, at `{path}`"),
        ),
        // Somebody hid it, as we would.
        (Login::Usual, false) if matches!(status, 300..500) => Check::skipped(
            CheckName::LoginPage,
            format!("it is hidden or kept from visitors: status {status}"),
        ),
        (_, false) => Check::new(
            CheckName::LoginPage,
            Verdict::Warning,
            format!("it shows no form, with status {status}"),
        ),
    }
}

/// A page that answered, and did not die.
fn read(name: CheckName, answer: &Answer) -> Result<&Probe, Check> {
    let probe = match answer {
        Ok(probe) => probe,
        Err(Unasked::Nowhere(why) | Unasked::Unknown(why)) => {
            return Err(Check::skipped(name, why.clone()));
        }
    };
    let is_dead = probe.fatal.is_some() || probe.status.is_none_or(|status| status >= 500);
    if is_dead {
        return Err(Check::new(name, Verdict::Failed, probe.summary()));
    }
    Ok(probe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "an answer is one or the other")]
    fn page(status: u16, login_form: bool) -> Answer {
        Ok(Probe {
            status: Some(status),
            login_form,
            ..Probe::default()
        })
    }

    #[test]
    fn what_somebody_hid_is_no_fault() {
        let login = |answer: &Answer| login_page(answer, &Login::Usual).status;
        assert_eq!(login(&page(200, true)), Verdict::Passed);
        assert_eq!(login(&page(200, false)), Verdict::Warning);
        for hidden in [302, 401, 403, 404] {
            assert_eq!(login(&page(hidden, false)), Verdict::Skipped, "{hidden}");
        }
        assert_eq!(login(&page(500, false)), Verdict::Failed);
        let moved = Login::At("/door/".into());
        assert_eq!(login_page(&page(200, true), &moved).status, Verdict::Passed);
        assert_eq!(
            login_page(&page(404, false), &moved).status,
            Verdict::Warning
        );
        assert_eq!(
            rest_without_json(&page(403, false)).status,
            Verdict::Skipped
        );
        assert_eq!(
            rest_without_json(&page(200, false)).status,
            Verdict::Warning
        );
        assert_eq!(rest_without_json(&page(503, false)).status, Verdict::Failed);
    }
}
