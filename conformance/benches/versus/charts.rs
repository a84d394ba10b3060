//! A chart for each group of rows: the median of each contender beside ours, or
//! curves where the group's rows differ in their size.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::harness::{Measured, OURS, ratio};

/// Ratios beyond this are drawn this long, with the figure beside them.
const LONGEST: f64 = 4.0;

const BAR: i32 = 16;
const LEFT: i32 = 330;
const WIDTH: i32 = 860;
const OUR_COLOR: RGBColor = RGBColor(0, 98, 155);

pub(crate) fn draw(directory: &Path, rows: &[Measured]) -> Result<(), Box<dyn Error>> {
    let mut groups: Vec<&str> = Vec::new();
    for row in rows {
        if !groups.contains(&row.group) {
            groups.push(row.group);
        }
    }
    for group in groups {
        let rows: Vec<_> = rows.iter().filter(|row| row.group == group).collect();
        let file = directory.join(format!(
            "{}.svg",
            group.replace(", ", " ").replace(' ', "-")
        ));
        if rows.iter().all(|row| row.size.is_some()) {
            curves(&file, group, &rows)?;
        } else {
            bars(&file, group, &rows)?;
        }
    }
    Ok(())
}

/// A contender's colour among those of a group.
fn color(name: &str, place: usize) -> RGBColor {
    const OTHERS: [RGBColor; 6] = [
        RGBColor(200, 80, 40),
        RGBColor(70, 150, 70),
        RGBColor(140, 90, 170),
        RGBColor(190, 150, 30),
        RGBColor(110, 110, 110),
        RGBColor(210, 110, 160),
    ];
    if name.starts_with(OURS) {
        OUR_COLOR
    } else {
        OTHERS[place % OTHERS.len()]
    }
}

/// The time of one operation over the size, both by powers of ten.
fn curves(file: &Path, group: &str, rows: &[&Measured]) -> Result<(), Box<dyn Error>> {
    let points = |name: &str| -> Vec<(f64, f64)> {
        rows.iter()
            .filter_map(|row| {
                let result = row.results.iter().find(|result| result.name == name)?;
                Some((f64::from(row.size?), result.median))
            })
            .collect()
    };
    let mut names: Vec<&str> = Vec::new();
    let (mut most, mut fastest, mut slowest) = (1.0_f64, f64::MAX, 0.0_f64);
    for row in rows {
        most = most.max(row.size.map_or(1.0, f64::from));
        for result in &row.results {
            fastest = fastest.min(result.median);
            slowest = slowest.max(result.median);
            if !names.contains(&result.name) {
                names.push(result.name);
            }
        }
    }

    // From a power of ten, with room for the names above.
    let lowest = 10_f64.powf(fastest.log10().floor());
    // What a row is called begins with its size.
    let what = rows.first().map_or("", |row| {
        row.what
            .trim_start_matches(|digit: char| digit.is_ascii_digit())
            .trim_start()
    });

    let area = SVGBackend::new(file, (WIDTH as u32, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let font = |size: i32| ("sans-serif", size).into_font();
    let mut chart = ChartBuilder::on(&area)
        .caption(
            format!("{group}: the time of one (lower is faster)"),
            font(15).style(FontStyle::Bold),
        )
        .margin(12)
        .x_label_area_size(40)
        .y_label_area_size(64)
        .build_cartesian_2d(
            (1.0..most * 1.3).log_scale(),
            (lowest..slowest * 3.0).log_scale(),
        )?;
    chart
        .configure_mesh()
        .x_desc(format!("how many {what}"))
        .y_desc("nanoseconds")
        .x_label_formatter(&|x| format!("{x:.0}"))
        .y_label_formatter(&|y| format!("{y:.0}"))
        .label_style(font(12))
        .light_line_style(WHITE)
        .draw()?;
    for (place, name) in names.into_iter().enumerate() {
        let style = color(name, place).stroke_width(2);
        let points = points(name);
        chart
            .draw_series(std::iter::once(PathElement::new(points.clone(), style)))?
            .label(name)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        chart.draw_series(
            points
                .into_iter()
                .map(|point| Circle::new(point, 3, style.filled())),
        )?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .label_font(font(12))
        .background_style(WHITE)
        .border_style(RGBColor(200, 200, 200))
        .draw()?;
    area.present()?;
    Ok(())
}

fn bars(file: &Path, group: &str, rows: &[&Measured]) -> Result<(), Box<dyn Error>> {
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
                OUR_COLOR
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
