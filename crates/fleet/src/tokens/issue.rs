//! Issuing a token with a token.

use super::{IssuedToken, NewToken};
use crate::{
    Caller, Error, Fleet, Result,
    authorize::{Action, Resource, authorize},
    code,
};
use ipnet::IpNet;
use pressroom_base::{Kind, Timestamp};
use pressroom_store::{TokenRow, tokens, users};

impl Fleet {
    /// Issues a token to the person it is asked for by, or by an operator to anybody. It
    /// opens no more than the token it is asked for with: not other scopes, not from
    /// other networks, and not for longer.
    ///
    /// Errors: `NotFound` (no such person, or another one than the caller; both look the
    /// same), `Forbidden` with `OUT_OF_SCOPE`, `Invalid`/`UNPROCESSABLE` (scopes, networks).
    pub async fn issue_token(&self, caller: &Caller, new: NewToken) -> Result<IssuedToken> {
        let missing = || Error::not_found("user");
        let new = new.checked()?;
        let store = &self.parts.store;
        let user = users::by_email(store, &new.user).await?;
        let resource = user
            .as_ref()
            .map_or(Resource::Installation, |user| Resource::OfPerson(user.id));
        match authorize(&caller.principal, Action::TokenIssue, resource) {
            Ok(()) => {}
            Err(error) if error.code() == Some(code::OUT_OF_SCOPE) => return Err(error),
            Err(error) if error.kind() == Kind::NotFound || user.is_none() => {
                return Err(missing().with_code(code::FOREIGN));
            }
            Err(error) => return Err(error),
        }
        let user = user.ok_or_else(missing)?;
        if let Some(id) = caller.principal.token_id() {
            let with = tokens::get(store, id).await?.ok_or_else(missing)?;
            no_wider(&with, &new)?;
        }
        let tx = store.begin().await?;
        let issued = self.issue(&tx, caller, &user, new).await?;
        tx.commit().await?;
        Ok(issued)
    }
}

/// Refuses a checked token that would open more than the one it is asked for with.
fn no_wider(with: &TokenRow, new: &NewToken) -> Result<()> {
    let refused = |message: String| {
        Err(Error::new(Kind::Forbidden, message)
            .with_hint("an operator issues it with `pressroom token add`"))
    };
    let has =
        |scope: &str| scope == "read" || with.scopes.iter().any(|own| own == "all" || own == scope);
    if let Some(scope) = new.scopes.iter().find(|scope| !has(scope)) {
        return refused(format!(
            "a key cannot issue one with the scope `{scope}`, which it lacks"
        ));
    }
    let anywhere = new.networks.is_empty();
    if !with.cidrs.is_empty() && (anywhere || !all_within(&with.cidrs, &new.networks)) {
        return refused(
            "a key that is bound to networks issues only keys bound to them".to_owned(),
        );
    }
    let outlives = |end: Timestamp| new.expires_at.is_none_or(|at| at > end);
    if with.expires_at.is_some_and(outlives) {
        return refused("a key cannot issue one that lives longer than itself".to_owned());
    }
    Ok(())
}

/// Whether every one of the second lies in one of the first, all in canonical form.
fn all_within(outer: &[String], inner: &[String]) -> bool {
    let outer: Vec<IpNet> = outer.iter().filter_map(|text| text.parse().ok()).collect();
    let lies_in = |network: IpNet| outer.iter().any(|outer| outer.contains(&network));
    inner.iter().all(|text| text.parse().is_ok_and(lies_in))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::TokenKind;
    use pressroom_base::id::TokenId;

    fn with(scopes: &[&str], networks: &[&str], expires_at: Option<i64>) -> TokenRow {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        TokenRow {
            id: TokenId::new(1),
            kind: "panel".into(),
            user_id: None,
            account_id: None,
            environment_id: None,
            name: String::new(),
            prefix: String::new(),
            digest: String::new(),
            scopes: own(scopes),
            cidrs: own(networks),
            expires_at: expires_at.map(Timestamp::from_millis),
            enabled: true,
            last_used_at: None,
            created_at: Timestamp::from_millis(0),
            login: false,
        }
    }

    fn new(scopes: &[&str], networks: &[&str], expires_at: Option<i64>) -> NewToken {
        let own = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        NewToken {
            user: "ana@example.com".into(),
            kind: TokenKind::Panel,
            name: "x".into(),
            scopes: own(scopes),
            networks: own(networks),
            expires_at: expires_at.map(Timestamp::from_millis),
        }
        .checked()
        .expect("sound values")
    }

    #[test]
    fn a_key_issues_none_that_opens_more() {
        let narrow = with(&["wordpress"], &["192.0.2.0/24"], Some(1_000));
        let fine = new(&["wordpress", "read"], &["192.0.2.7"], Some(1_000));
        assert!(no_wider(&narrow, &fine).is_ok());
        for wider in [
            new(&[], &["192.0.2.7"], Some(1_000)),
            new(&["all"], &["192.0.2.7"], Some(1_000)),
            new(&["read"], &[], Some(1_000)),
            new(&["read"], &["192.0.2.7", "198.51.100.1"], Some(1_000)),
            new(&["read"], &["192.0.0.0/16"], Some(1_000)),
            new(&["read"], &["192.0.2.7"], Some(1_001)),
            new(&["read"], &["192.0.2.7"], None),
        ] {
            let refused = no_wider(&narrow, &wider).expect_err("it opens more");
            assert_eq!(refused.kind(), Kind::Forbidden, "{wider:?}");
        }
        assert!(no_wider(&with(&["all"], &[], None), &new(&[], &[], None)).is_ok());
    }
}
