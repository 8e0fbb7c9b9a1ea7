//! Pictures of safe updates: who gets one, and when its bytes go.

use crate::{
    base::Base,
    pipelines::{new_pipeline, plugin},
};
use pressroom_archive::Key;
use pressroom_base::{
    Kind,
    id::{AccountId, ShortId},
};
use pressroom_fleet::{
    Caller, code,
    pipelines::PictureMoment,
    principal::{Principal, Role},
};
use pressroom_store::{
    EnvironmentRow, EnvironmentState, NewAccount, NewPicture, PictureRow, PipelinePatch,
    PipelineRow, PipelineState, accounts, pipelines,
};
use serde_json::json;

crate::on_both! {
    a_picture_is_for_those_who_may_see_the_site
    bytes_go_with_their_pictures
}

async fn pipeline(base: &Base, site: &EnvironmentRow, account: AccountId) -> PipelineRow {
    let tx = base.store.begin().await.unwrap();
    let new = new_pipeline(site, account);
    let row = pipelines::create(&tx, new, vec![plugin("shop")])
        .await
        .unwrap();
    tx.commit().await.unwrap();
    row
}

/// One that is in the archive, with these bytes.
async fn picture(base: &Base, of: &PipelineRow, bytes: &[u8]) -> PictureRow {
    let new = NewPicture {
        pipeline_id: of.id,
        account_id: of.account_id,
        environment_id: of.environment_id,
        stage: "verification".into(),
        target: None,
        page: "/".into(),
        screen: "phone".into(),
        moment: PictureMoment::After,
        shot: "1-phone-1".into(),
        width: 390,
        height: 844,
        areas: json!([{ "x": 1, "y": 2, "width": 3, "height": 4 }]),
        changed: true,
        size: i64::try_from(bytes.len()).unwrap(),
    };
    let tx = base.store.begin().await.unwrap();
    let row = pipelines::add_picture(&tx, new).await.unwrap();
    pipelines::keep_picture(&tx, row.id).await.unwrap();
    tx.commit().await.unwrap();
    base.objects().put_new(&key(&row), bytes).await.unwrap();
    row
}

fn key(row: &PictureRow) -> Key {
    let (account, site, id) = (row.account_id, row.environment_id, &row.short_id);
    Key::parse(&format!("pictures/{account}/{site}/{id}.png")).unwrap()
}

async fn another_account(base: &Base) -> AccountId {
    let tx = base.store.begin().await.unwrap();
    let other = NewAccount {
        name: "Other".into(),
        prefix: None,
        capabilities: Vec::new(),
    };
    let id = accounts::create(&tx, other).await.unwrap().id;
    tx.commit().await.unwrap();
    id
}

/// Somebody of that account alone.
fn of_account(base: &Base, account: AccountId) -> Caller {
    let person = base.person(Role::Owner).principal;
    Caller::new(Principal {
        memberships: vec![(account, Role::Owner)],
        ..person
    })
}

async fn a_picture_is_for_those_who_may_see_the_site(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let site_of_other = base.site("b", EnvironmentState::Active).await;
    let other = another_account(&base).await;
    let own = pipeline(&base, &site, base.account).await;
    let foreign = pipeline(&base, &site_of_other, other).await;
    let (kept, kept_foreign) = (
        picture(&base, &own, b"own").await,
        picture(&base, &foreign, b"foreign").await,
    );

    let viewer = base.person(Role::Viewer);
    let list = base.fleet.pipeline_pictures(&viewer, &own.short_id).await;
    let list = list.unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0].id, kept.short_id.as_str());
    assert_eq!((list[0].areas[0].x, list[0].areas[0].height), (1, 4));
    let details = base.fleet.find_pipeline(&viewer, &own.short_id).await;
    assert_eq!(details.unwrap().pictures, list);
    let open =
        async |who: &Caller, of: &ShortId, id: &ShortId| base.fleet.open_picture(who, of, id).await;
    let opened = open(&viewer, &own.short_id, &kept.short_id).await.unwrap();
    assert_eq!(
        (opened.png.as_slice(), &opened.picture),
        (b"own".as_slice(), &list[0])
    );

    let stranger = of_account(&base, other);
    let refused = [
        open(&stranger, &own.short_id, &kept.short_id).await,
        open(&viewer, &foreign.short_id, &kept_foreign.short_id).await,
        // Neither of one's own pipeline nor of another's.
        open(&viewer, &own.short_id, &kept_foreign.short_id).await,
        open(&stranger, &foreign.short_id, &kept.short_id).await,
        open(&Base::console(), &own.short_id, &kept_foreign.short_id).await,
        open(&viewer, &own.short_id, &ShortId::random()).await,
    ];
    for refused in refused {
        let error = refused.unwrap_err();
        assert_eq!(error.kind(), Kind::NotFound, "{error:?}");
    }
    let listed = base.fleet.pipeline_pictures(&stranger, &own.short_id).await;
    assert_eq!(listed.unwrap_err().code(), Some(code::FOREIGN));
    let opened = open(&stranger, &foreign.short_id, &kept_foreign.short_id).await;
    assert_eq!(opened.unwrap().png, b"foreign");
}

async fn bytes_go_with_their_pictures(base: Base) {
    let site = base.site("a", EnvironmentState::Active).await;
    let row = pipeline(&base, &site, base.account).await;
    let (dropped, kept) = (
        picture(&base, &row, b"dropped").await,
        picture(&base, &row, b"kept").await,
    );
    base.raw(&format!(
        "UPDATE pipeline_pictures SET state = 'dropped' WHERE id = {}",
        dropped.id
    ))
    .await;
    base.fleet.tidy().await.unwrap();
    let objects = base.objects();
    let there = async |row: &PictureRow| objects.read_small(&key(row), 100).await.is_ok();
    assert!(!there(&dropped).await && there(&kept).await);

    // The pipeline is over, and was for long.
    let tx = base.store.begin().await.unwrap();
    let patch = PipelinePatch {
        status: Some(PipelineState::Completed),
        ..PipelinePatch::default()
    };
    let from = [PipelineState::Pending];
    pipelines::change(&tx, row.id, &from, patch).await.unwrap();
    tx.commit().await.unwrap();
    base.fleet.tidy().await.unwrap();
    assert!(there(&kept).await);
    base.raw("UPDATE pipelines SET finished_at = 1000").await;
    // The pipeline's row goes first; its pictures' rows still say where the bytes are.
    base.fleet.tidy().await.unwrap();
    assert!(!there(&kept).await);
    assert_eq!(pipelines::get(&base.store, row.id).await.unwrap(), None);
    let left = pipelines::pictures(&base.store, row.id).await.unwrap();
    assert_eq!(left, []);
}
