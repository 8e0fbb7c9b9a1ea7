//! What was measured, as a table in Markdown.

use std::time::Duration;

/// One measured row.
#[derive(Debug, Clone)]
pub struct Row {
    /// What was done, with the size of it.
    pub what: String,
    /// Pressroom's figure.
    pub ours: String,
    /// What it was held against, with its figure; `None` where it is not here.
    pub other: Option<String>,
    /// How much better ours is; `None` for an absolute figure.
    pub ratio: Option<f64>,
    /// What must be reached, as written in the budget.
    pub budget: String,
    /// Whether it was; `None` where it could not be compared.
    pub reached: Option<bool>,
}

impl Row {
    /// Two durations: ours must be at least `least` times as fast.
    pub fn faster(what: &str, ours: Duration, other: Option<(&str, Duration)>, least: f64) -> Self {
        let ratio = other.map(|(_, time)| time.as_secs_f64() / ours.as_secs_f64());
        Self {
            what: what.to_owned(),
            ours: shown(ours),
            other: other.map(|(name, time)| format!("{name} {}", shown(time))),
            ratio,
            budget: format!("≥ {least} ×"),
            reached: ratio.map(|ratio| ratio >= least),
        }
    }

    /// A figure without a budget, beside a control figure of the same run.
    pub fn told(what: &str, ours: String, other: Option<String>) -> Self {
        Self {
            what: what.to_owned(),
            ours,
            other,
            ratio: None,
            budget: "reported".to_owned(),
            reached: None,
        }
    }

    /// The same row without a budget.
    pub fn reported(self) -> Self {
        Self {
            budget: "reported".to_owned(),
            reached: None,
            ..self
        }
    }

    /// A figure that must stay below a bound.
    pub fn below(what: &str, ours: f64, unit: &str, most: f64) -> Self {
        Self {
            what: what.to_owned(),
            ours: format!("{ours:.1} {unit}"),
            other: None,
            ratio: None,
            budget: format!("< {most} {unit}"),
            reached: Some(ours < most),
        }
    }
}

/// All rows, in the order they were measured.
#[derive(Debug, Default)]
pub struct Table {
    rows: Vec<Row>,
}

impl Table {
    /// Adds a row and tells of it at once: a run takes minutes.
    pub fn push(&mut self, row: Row) {
        eprintln!("{}", line(&row));
        self.rows.push(row);
    }

    /// Prints the table to standard output.
    #[expect(clippy::print_stdout, reason = "the table is what this program is for")]
    pub fn print(&self) {
        println!("| what | Pressroom | other side | ratio | budget | |");
        println!("| --- | --- | --- | --- | --- | --- |");
        for row in &self.rows {
            println!("{}", line(row));
        }
        let reached = self.rows.iter().filter(|row| row.reached == Some(true));
        println!(
            "\n{} of {} rows reach their budget; {} could not be compared here",
            reached.count(),
            self.rows.len(),
            self.rows
                .iter()
                .filter(|row| row.reached.is_none() && row.budget != "reported")
                .count()
        );
    }
}

fn line(row: &Row) -> String {
    format!(
        "| {} | {} | {} | {} | {} | {} |",
        row.what,
        row.ours,
        row.other.as_deref().unwrap_or("–"),
        row.ratio
            .map_or_else(|| "–".to_owned(), |ratio| format!("{ratio:.1} ×")),
        row.budget,
        match row.reached {
            Some(true) => "reached",
            Some(false) => "**missed**",
            None if row.budget == "reported" => "",
            None => "not compared",
        }
    )
}

/// A duration as people read it.
pub fn shown(time: Duration) -> String {
    if time < Duration::from_millis(10) {
        format!("{:.2} ms", time.as_secs_f64() * 1000.0)
    } else if time < Duration::from_secs(1) {
        format!("{:.0} ms", time.as_secs_f64() * 1000.0)
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}
