use crate::base::{Base, DEADLINE, Script, plain};
use futures_util::StreamExt;
use pressroom_jobs::{CHUNK_BYTES, JobState, OUTPUT_CAP_BYTES, watch, watch_after};
use pressroom_store::jobs;
use serde_json::json;
use std::pin::pin;

crate::on_both! {
    lines_come_in_order_and_in_few_pieces
    a_mad_job_is_cut_off
    a_watcher_sees_everything_once_and_then_the_end
}

async fn whole(base: &Base, id: pressroom_base::id::JobId) -> (usize, String) {
    let pieces = jobs::output_after(&base.store, id, 0, 10_000)
        .await
        .unwrap();
    let text = pieces.iter().map(|piece| piece.text.as_str()).collect();
    (pieces.len(), text)
}

async fn lines_come_in_order_and_in_few_pieces(base: Base) {
    let script = Script::new(|ctx| async move {
        for number in 0..5000 {
            ctx.line(format!("line {number}\r\n"));
        }
        ctx.line("nul \0 and ü");
        Ok(json!(null))
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    base.ended(id).await;
    runner.stop().await;
    let (pieces, text) = whole(&base, id).await;
    let lines: Vec<_> = (0..5000).map(|number| format!("line {number}")).collect();
    let mut expected = lines.join("\n") + "\n";
    expected.push_str("nul \u{fffd} and ü\n");
    assert!(
        text == expected,
        "{} bytes for {}",
        text.len(),
        expected.len()
    );
    assert!(pieces <= 4, "{pieces} pieces");
}

async fn a_mad_job_is_cut_off(base: Base) {
    let script = Script::new(|ctx| async move {
        let long = "ü".repeat(500);
        for _ in 0..6000 {
            ctx.line(&long);
        }
        if ctx.attempt() == 1 {
            return Err(pressroom_jobs::JobFailure::new(
                pressroom_base::Kind::Busy,
                "again",
            ));
        }
        Ok(json!(null))
    });
    let id = base.enqueue(plain()).await;
    let runner = base.start(&script);
    let row = base.ended(id).await;
    runner.stop().await;
    assert_eq!((row.state, row.attempt), (JobState::Completed, 2));
    let (_, text) = whole(&base, id).await;
    assert!(text.len() as u64 <= OUTPUT_CAP_BYTES, "{}", text.len());
    assert!(
        text.len() as u64 > OUTPUT_CAP_BYTES - 2000,
        "{}",
        text.len()
    );
    let cut = "[output cut: more than 4 MB]\n";
    assert!(text.ends_with(cut));
    assert_eq!(text.matches(cut).count(), 1);
    let pieces = jobs::output_after(&base.store, id, 0, 10_000)
        .await
        .unwrap();
    assert!(pieces.iter().all(|piece| piece.text.len() <= CHUNK_BYTES));
    assert!(pieces.iter().all(|piece| piece.text.ends_with('\n')));
}

async fn a_watcher_sees_everything_once_and_then_the_end(base: Base) {
    let script = Script::new(|ctx| async move {
        for number in 0..5 {
            ctx.line(format!("line {number}"));
            ctx.step(&format!("step {number}"), async { Ok(number) })
                .await?;
            ctx.progress(number * 20, "working").await?;
        }
        Ok(json!("done"))
    });
    let id = base.enqueue(plain()).await;
    let follow = async |store: &pressroom_store::Store| {
        let mut updates = pin!(watch(store, id));
        let mut seen = Vec::new();
        while let Some(update) = updates.next().await {
            seen.push(update);
        }
        seen
    };
    let other = base.other_process().await;
    let runner = base.start(&script);
    let both = futures_util::future::join(follow(&base.store), follow(&other));
    let (here, there) = tokio::time::timeout(DEADLINE, both).await.expect("it ends");
    runner.stop().await;
    for seen in [here, there] {
        let text: String = seen
            .iter()
            .flat_map(|update| update.output.iter().map(|piece| piece.text.as_str()))
            .collect();
        assert_eq!(text, "line 0\nline 1\nline 2\nline 3\nline 4\n");
        let last = seen.last().unwrap();
        assert_eq!(last.job.state, JobState::Completed);
        assert_eq!(last.job.result, Some(json!("done")));
        assert_eq!(last.steps.len(), 5);
        assert!(seen.is_sorted_by_key(|update| update.job.progress));
    }
    // Somebody who saw the output already gets the end alone.
    let (pieces, _) = whole(&base, id).await;
    let mut late = pin!(watch_after(&base.store, id, i32::try_from(pieces).unwrap()));
    let only = late.next().await.unwrap();
    assert_eq!(
        (only.output.len(), only.job.state),
        (0, JobState::Completed)
    );
    assert!(late.next().await.is_none());
    let mut nobody = pin!(watch(&base.store, pressroom_base::id::JobId::new(999)));
    assert!(nobody.next().await.is_none());
}
