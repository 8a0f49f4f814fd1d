package main

import "slices"

// Measures in units of the em. A cell of the donut is twice as high as it is wide. Letters stand on 0 and are as high as
// top, and have as much room above as below.
const (
	em      = 1000
	advance = 604 // of nearly all monospaced typefaces: the page is laid out for it, and looks alike in those
	top     = 840
	middle  = top / 2
	center  = advance / 2
	ascent  = middle + advance
	descent = advance - middle
)

// letters are how the donut's letters are drawn, but for the space. The brighter one is, the more ink it has.
var letters = map[rune][]stroke{
	'.': {dot(center, 66, 60)},
	',': {dot(center, 66, 64), line(32, point{center + 26, 46}, point{center - 34, -76})},
	'-': {line(36, point{180, middle}, point{424, middle})},
	'~': {{wave(middle), 36}},
	':': {dot(center, 180, 80), dot(center, 620, 80)},
	';': {dot(center, 180, 80), line(40, point{center + 34, 156}, point{center - 36, 0}), dot(center, 620, 80)},
	'=': {line(40, point{134, 300}, point{470, 300}), line(40, point{134, 540}, point{470, 540})},
	'!': {dot(center, 76, 74), line(60, point{center, 320}, point{center, top - 40})},
	'*': {
		line(50, point{center, 160}, point{center, 680}),
		line(50, point{center - 208, 285}, point{center + 208, 555}),
		line(50, point{center - 208, 555}, point{center + 208, 285}),
	},
	'#': {
		line(50, point{182, 40}, point{222, top - 40}),
		line(50, point{382, 40}, point{422, top - 40}),
		line(50, point{74, 280}, point{510, 280}),
		line(50, point{94, 560}, point{530, 560}),
	},
	'$': {
		{slices.Concat(arc(center, 606, 190, 176, 32, 262), arc(center, 234, 200, 196, 82, -146)), 56},
		line(52, point{center, -50}, point{center, top + 50}),
	},
	'@': {
		{slices.Concat(arc(center, middle, 244, 440, -64, -360), arc(center+163, 310, 81, 130, 0, -160)), 54},
		{arc(center+8, middle-10, 108, 180, 0, 360), 54},
	},
}

// wave returns the path of a tilde.
func wave(y float64) []point {
	const half, up = 78, 80
	return slices.Concat(arc(center-half, y-up/4, half, up, 180, 40), arc(center+half, y+up/4, half, up, 220, 360))
}
