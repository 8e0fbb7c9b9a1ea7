use crate::base::Base;
use pressroom_base::Epoch;
use pressroom_store::{environments, maintenance};

crate::on_both! {
    a_wish_is_one_and_goes_with_its_site
}

async fn a_wish_is_one_and_goes_with_its_site(base: Base) {
    let account = base.account("acme").await;
    let one = base.environment(account.id, "/srv/one").await;
    let two = base.environment(account.id, "/srv/two").await;
    let tx = base.store.begin().await.unwrap();
    for (id, epoch) in [(one.id, 3), (two.id, 4), (one.id, 5)] {
        maintenance::want(&tx, id, Epoch::new(epoch)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let wanted: Vec<_> = maintenance::list(&base.store)
        .await
        .unwrap()
        .into_iter()
        .map(|wanted| (wanted.environment, wanted.epoch.get()))
        .collect();
    assert_eq!(wanted, [(one.id, 5), (two.id, 4)]);
    let tx = base.store.begin().await.unwrap();
    maintenance::forget(&tx, one.id).await.unwrap();
    maintenance::forget(&tx, one.id).await.unwrap();
    environments::remove(&tx, two.id).await.unwrap();
    tx.commit().await.unwrap();
    assert!(!maintenance::is_wanted(&base.store, one.id).await.unwrap());
    assert_eq!(maintenance::list(&base.store).await.unwrap(), []);
}
