//! Keys of accounts: one is primary, and none is lost while a host needs it.

use crate::base::Base;
use pressroom_base::{
    Secret,
    id::{AccountId, SshKeyId},
};
use pressroom_store::{
    Error, HostPatch, Lookup, NewHost, NewSshKey, Page, Scope, SshKeyKind, SshKeyRow, hosts,
    ssh_keys,
};

crate::on_both! {
    the_first_key_is_the_primary_one
    many_first_keys_at_once_leave_one_primary
    a_key_is_kept_once_in_an_account
    a_key_that_opens_a_host_stays
    nobody_sees_the_keys_of_others
}

pub async fn key(base: &Base, account: AccountId, name: &str) -> SshKeyRow {
    try_key(base, account, name).await.unwrap()
}

async fn try_key(base: &Base, account: AccountId, name: &str) -> Result<SshKeyRow, Error> {
    let tx = base.store.begin().await?;
    let new = NewSshKey {
        account_id: account,
        label: name.into(),
        kind: SshKeyKind::Ed25519,
        public_line: format!("ssh-ed25519 AAAA {name}"),
        fingerprint: format!("SHA256:{name}"),
        private: Secret::new(format!("private {name}")),
    };
    let row = ssh_keys::create(&tx, new).await?;
    tx.commit().await?;
    Ok(row)
}

async fn primary(base: &Base, account: AccountId) -> Option<SshKeyId> {
    let found = ssh_keys::primary(&base.store, account).await.unwrap();
    found.map(|row| row.id)
}

async fn remove(base: &Base, id: SshKeyId) -> Result<(), Error> {
    let tx = base.store.begin().await?;
    ssh_keys::remove(&tx, id).await?;
    tx.commit().await
}

async fn the_first_key_is_the_primary_one(base: Base) {
    let account = base.account("acme").await.id;
    assert_eq!(primary(&base, account).await, None);
    let one = key(&base, account, "one").await;
    let two = key(&base, account, "two").await;
    assert!(one.is_primary && !two.is_primary);
    assert_eq!(primary(&base, account).await, Some(one.id));

    let tx = base.store.begin().await.unwrap();
    ssh_keys::make_primary(&tx, two.id).await.unwrap();
    ssh_keys::make_primary(&tx, two.id).await.unwrap();
    let unknown = ssh_keys::make_primary(&tx, SshKeyId::new(999)).await;
    assert!(matches!(unknown, Err(Error::NotFound { .. })));
    tx.commit().await.unwrap();
    assert_eq!(primary(&base, account).await, Some(two.id));

    // Gone with nothing in its place; the next one made is.
    remove(&base, two.id).await.unwrap();
    assert_eq!(primary(&base, account).await, None);
    let three = key(&base, account, "three").await;
    assert_eq!(primary(&base, account).await, Some(three.id));
    let gone = remove(&base, two.id).await;
    assert!(matches!(gone, Err(Error::NotFound { what: "SSH key" })));
}

async fn many_first_keys_at_once_leave_one_primary(base: Base) {
    let account = base.account("acme").await.id;
    let names: Vec<_> = (0..8).map(|n| n.to_string()).collect();
    let made = names.iter().map(|name| key(&base, account, name));
    let made = futures_util::future::join_all(made).await;
    assert_eq!(made.iter().filter(|row| row.is_primary).count(), 1);
}

async fn a_key_is_kept_once_in_an_account(base: Base) {
    let (mine, yours) = (
        base.account("mine").await.id,
        base.account("yours").await.id,
    );
    key(&base, mine, "one").await;
    let again = try_key(&base, mine, "one").await;
    assert!(matches!(again, Err(Error::Exists { what: "SSH key" })));
    let other = key(&base, yours, "one").await;
    assert!(other.is_primary, "accounts do not know of each other");
}

async fn a_key_that_opens_a_host_stays(base: Base) {
    let account = base.account("acme").await.id;
    let one = key(&base, account, "one").await;
    let two = key(&base, account, "two").await;
    let new = NewHost {
        account_id: account,
        label: "web".into(),
        address: "web.example".into(),
        port: 22,
        login: "deploy".into(),
        key_id: Some(two.id),
        jump_id: None,
    };
    let tx = base.store.begin().await.unwrap();
    let host = hosts::create(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
    let of_host = hosts::key(&base.store, &host).await.unwrap();
    assert_eq!(of_host.unwrap().id, two.id);
    let used = remove(&base, two.id).await.unwrap_err();
    assert_eq!(used.to_string(), "that SSH key is still in use");

    // A host that names none is opened with the primary one.
    let tx = base.store.begin().await.unwrap();
    let patch = HostPatch {
        key_id: Some(None),
        ..HostPatch::default()
    };
    let host = hosts::update(&tx, host.id, patch).await.unwrap();
    tx.commit().await.unwrap();
    let of_host = hosts::key(&base.store, &host).await.unwrap();
    assert_eq!(of_host.unwrap().id, one.id);
    remove(&base, two.id).await.unwrap();
    let used = remove(&base, one.id).await;
    assert!(matches!(used, Err(Error::InUse { what: "SSH key" })));
}

async fn nobody_sees_the_keys_of_others(base: Base) {
    let (mine, yours) = (
        base.account("mine").await.id,
        base.account("yours").await.id,
    );
    let own = key(&base, mine, "own").await;
    let second = key(&base, mine, "second").await;
    let foreign = key(&base, yours, "foreign").await;
    let store = &base.store;
    let scope = Scope::Accounts(vec![mine]);
    let list = async |scope: &Scope, page| ssh_keys::list(store, scope, page).await.unwrap();
    assert_eq!(
        list(&scope, Page::first(10)).await,
        [own.clone(), second.clone()]
    );
    let rest = Page {
        limit: 10,
        offset: 1,
    };
    assert_eq!(list(&scope, rest).await, [second]);
    assert_eq!(list(&Scope::All, Page::first(10)).await.len(), 3);
    assert_eq!(
        list(&Scope::Accounts(vec![]), Page::first(10)).await,
        Vec::new()
    );
    assert_eq!(ssh_keys::count(store, &scope).await.unwrap(), 2);

    let look_up = async |id| ssh_keys::look_up(store, &scope, id).await.unwrap();
    assert_eq!(look_up(own.id).await, Lookup::Found(own));
    assert_eq!(look_up(foreign.id).await, Lookup::Foreign);
    assert_eq!(look_up(SshKeyId::new(999)).await, Lookup::Missing);
    assert!(!format!("{:?}", ssh_keys::private(store, &foreign)).contains("private"));
}
