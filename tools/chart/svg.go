package main

import (
	"fmt"
	"html"
	"strconv"
	"strings"
)

// A chart is bars of one unit, to one scale.
type chart struct {
	title, unit string
	bars        []bar
}

type bar struct {
	name  string
	value *float64 // nil where it was not measured
	ours  bool     // what visitors pay, which stands out
}

// Sizes in the picture, in pixels.
const (
	width     = 640
	barsFrom  = 200
	barsTo    = 560
	rowHeight = 22
	titleSpan = 34
	gap       = 14
)

// style follows the page's theme: a picture of its own has no other way to know it.
const style = `text{font:13px system-ui,sans-serif;fill:#24292f}.title{font-weight:600}.value{fill:#57606a}` +
	`.bar{fill:#8c959f}.ours{fill:#bc4c00}` +
	`@media(prefers-color-scheme:dark){text{fill:#e6edf3}.value{fill:#9198a1}.bar{fill:#6e7681}.ours{fill:#f0883e}}`

// draw returns the charts as an SVG document, one below the other.
func draw(all []chart) string {
	var b strings.Builder
	y := gap
	for _, c := range all {
		text(&b, "title", 0, y+14, "start", c.title)
		y += titleSpan
		longest := 0.0
		for _, bar := range c.bars {
			longest = max(longest, *bar.value)
		}
		for _, bar := range c.bars {
			class := "bar"
			if bar.ours {
				class = "ours"
			}
			length := *bar.value / longest * (barsTo - barsFrom)
			text(&b, "", barsFrom-10, y+4, "end", bar.name)
			fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%d" width="%.1f" height="14" rx="2"/>`+"\n", class, barsFrom, y-8, length)
			text(&b, "value", barsFrom+int(length)+8, y+4, "start", short(*bar.value)+" "+c.unit)
			y += rowHeight
		}
		y += gap
	}
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img"><title>What bench measured</title><style>%s</style>`+
		"\n%s</svg>\n", width, y, style, &b)
}

func text(b *strings.Builder, class string, x, y int, anchor, s string) {
	fmt.Fprintf(b, `<text class="%s" x="%d" y="%d" text-anchor="%s">%s</text>`+"\n", class, x, y, anchor, html.EscapeString(s))
}

// short writes a figure with as many digits as mean something.
func short(v float64) string {
	if v < 100 {
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 0, 64)
}
