use crate::base::{Base, rows};
use pressroom_base::{Secret, id::AccountId};
use pressroom_store::{MailRow, NewMail, mails};
use std::time::Duration;

crate::on_both! {
    a_secret_stays_sealed_until_the_mail_ends
    what_is_not_to_be_said_any_more_is_not_sent
    what_was_given_up_lately_is_counted
}

const LEASE: Duration = Duration::from_mins(1);

async fn write(base: &Base, account: Option<AccountId>, recipient: &str) {
    let tx = base.store.begin().await.unwrap();
    let new = NewMail {
        kind: "user.invited".into(),
        account_id: account,
        recipient: recipient.into(),
        subject: "Invitation".into(),
        plain: format!("https://press.example/invitation/{}", mails::SECRET),
        html: String::new(),
        secret: Some(Secret::new("needle".into())),
        good_until: None,
    };
    mails::enqueue(&tx, new).await.unwrap();
    tx.commit().await.unwrap();
}

async fn claimed(base: &Base) -> Vec<MailRow> {
    mails::claim(&base.store, 10, "me", LEASE).await.unwrap()
}

async fn a_secret_stays_sealed_until_the_mail_ends(base: Base) {
    write(&base, None, "bob@example.com").await;
    write(&base, None, "eve@example.com").await;
    let raw = base.raw().await;
    let column = |row: &sea_orm::QueryResult| -> Option<String> {
        row.try_get("", "secret_sealed").unwrap()
    };
    for row in rows(&raw, "SELECT secret_sealed FROM mails").await {
        assert!(!column(&row).unwrap().contains("needle"));
    }
    let taken = claimed(&base).await;
    let secret = mails::secret(&base.store, &taken[0]).unwrap().unwrap();
    assert_eq!(secret.expose(), "needle");
    // Sealed for its row: moved to another it does not open.
    let mut moved = taken[0].clone();
    moved.id = taken[1].id;
    assert!(mails::secret(&base.store, &moved).is_err());

    let tx = base.store.begin().await.unwrap();
    assert!(mails::sent(&tx, &taken[0]).await.unwrap());
    assert!(mails::give_up(&tx, &taken[1], "550").await.unwrap());
    tx.commit().await.unwrap();
    for row in rows(&raw, "SELECT secret_sealed FROM mails").await {
        assert_eq!(column(&row), None);
    }
}

async fn what_is_not_to_be_said_any_more_is_not_sent(base: Base) {
    let account = base.account("Acme").await.id;
    let other = base.account("Other").await.id;
    for (account, to) in [(account, "bob"), (account, "eve"), (other, "bob")] {
        write(&base, Some(account), to).await;
    }
    let taken = claimed(&base).await;
    assert_eq!(taken.len(), 3);
    let tx = base.store.begin().await.unwrap();
    let gone = mails::withdraw(&tx, "user.invited", account, "bob").await;
    assert_eq!(gone.unwrap(), 1);
    // Whoever is sending it now cannot bring it back.
    assert!(!mails::sent(&tx, &taken[0]).await.unwrap());
    tx.commit().await.unwrap();
    let left = mails::list(&base.store, 10).await.unwrap();
    assert_eq!(left.len(), 2);
}

async fn what_was_given_up_lately_is_counted(base: Base) {
    for to in ["bob", "eve", "ann"] {
        write(&base, None, to).await;
    }
    let taken = claimed(&base).await;
    let tx = base.store.begin().await.unwrap();
    mails::sent(&tx, &taken[0]).await.unwrap();
    mails::give_up(&tx, &taken[1], "550").await.unwrap();
    tx.commit().await.unwrap();
    let day = Duration::from_hours(24);
    assert_eq!(mails::given_up(&base.store, day).await.unwrap(), 1);
    base.store.advance_clock(day);
    assert_eq!(mails::given_up(&base.store, day).await.unwrap(), 0);
}
