//! A chart for each group of rows: the median of each contender beside ours.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::harness::{Measured, OURS, ratio};

/// Ratios beyond this are drawn this long, with the figure beside them.
const LONGEST: f64 = 4.0;

const BAR: i32 = 16;
const LEFT: i32 = 330;
const WIDTH: i32 = 860;

pub(crate) fn draw(directory: &Path, rows: &[Measured]) -> Result<(), Box<dyn Error>> {
    let mut groups: Vec<&str> = Vec::new();
    for row in rows {
        if !groups.contains(&row.group) {
            groups.push(row.group);
        }
    }
    for group in groups {
        let rows: Vec<_> = rows.iter().filter(|row| row.group == group).collect();
        let file = directory.join(format!("{}.svg", group.replace(' ', "-")));
        chart(&file, group, &rows)?;
    }
    Ok(())
}

fn chart(file: &Path, group: &str, rows: &[&Measured]) -> Result<(), Box<dyn Error>> {
    let lines: usize = rows.iter().map(|row| row.results.len() + 2).sum();
    let height = (lines as i32 + 2) * BAR + BAR;
    let area = SVGBackend::new(file, (WIDTH as u32, height as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    let text = |size: i32| ("sans-serif", size).into_font();
    let caption = format!("{group}: time beside {OURS} (shorter is faster)");
    area.draw(&Text::new(
        caption,
        (10, 8),
        text(15).style(FontStyle::Bold),
    ))?;
    let unit = f64::from(WIDTH - LEFT - 120) / LONGEST;
    let mut y = 3 * BAR;
    for row in rows {
        area.draw(&Text::new(
            row.what.clone(),
            (10, y),
            text(13).style(FontStyle::Bold),
        ))?;
        y += BAR;
        for result in &row.results {
            let beside = row.ours().map_or(1.0, |ours| ratio(result, ours));
            let color = if result.name.starts_with(OURS) {
                RGBColor(0, 98, 155)
            } else {
                RGBColor(150, 150, 150)
            };
            let end = LEFT + (beside.min(LONGEST) * unit) as i32;
            area.draw(&Text::new(result.name, (30, y + 1), text(12)))?;
            area.draw(&Rectangle::new(
                [(LEFT, y + 2), (end, y + BAR - 2)],
                color.filled(),
            ))?;
            let figure = format!("{beside:.2}  ({:.1} ns)", result.median);
            area.draw(&Text::new(figure, (end + 6, y + 1), text(12)))?;
            y += BAR;
        }
        y += BAR;
    }
    area.present()?;
    Ok(())
}
