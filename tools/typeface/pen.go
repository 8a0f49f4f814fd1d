package main

import "math"

// A point is in units of the em: x to the right, y up from the line that letters stand on.
type point struct{ x, y float64 }

// whole returns the point as TrueType can tell it.
func (p point) whole() (x, y int) { return int(math.Round(p.x)), int(math.Round(p.y)) }

// A stroke is what a round pen leaves that goes along a path: the points of a polygon that is as good as the curve.
type stroke struct {
	path   []point
	radius float64 // of the pen
}

// turn is how far two points of a curve are apart, in radians: of the largest, 440 units, the polygon is 1.7 units off.
const turn = math.Pi / 18

// dot returns a point of the pen.
func dot(x, y, radius float64) stroke {
	return stroke{[]point{{x, y}}, radius}
}

// line returns a straight stroke through points.
func line(radius float64, through ...point) stroke {
	return stroke{through, radius}
}

// arc returns the points of an ellipse's arc. Angles are in degrees, counterclockwise from the right.
func arc(x, y, across, up, from, to float64) []point {
	from, to = from*math.Pi/180, to*math.Pi/180
	steps := math.Ceil(math.Abs(to-from) / turn)
	var path []point
	for i := range int(steps) + 1 {
		sin, cos := math.Sincos(from + (to-from)*float64(i)/steps)
		path = append(path, point{x + across*cos, y + up*sin})
	}
	return path
}

// outline returns the stroke's edge, clockwise as TrueType wants what is filled: up one side of the path, round its end,
// down the other side, and round its beginning. A path bends less sharply than its pen is round.
func (s stroke) outline() []point {
	path := s.path
	last := len(path) - 1
	if last == 0 {
		return round(path[0], s.radius, math.Pi, -math.Pi)
	}
	ahead := func(i int) float64 { // where the path leads at a point
		before, after := path[max(i-1, 0)], path[min(i+1, last)]
		return math.Atan2(after.y-before.y, after.x-before.x)
	}
	var edge []point
	side := func(i int, angle float64) {
		sin, cos := math.Sincos(angle)
		edge = append(edge, point{path[i].x + s.radius*cos, path[i].y + s.radius*sin})
	}
	for i := range last {
		side(i, ahead(i)+math.Pi/2)
	}
	edge = append(edge, round(path[last], s.radius, ahead(last)+math.Pi/2, ahead(last)-math.Pi/2)...)
	for i := last - 1; i > 0; i-- {
		side(i, ahead(i)-math.Pi/2)
	}
	return append(edge, round(path[0], s.radius, ahead(0)-math.Pi/2, ahead(0)-3*math.Pi/2)...)
}

// round returns points around another, from one angle in radians to a lesser one, both included.
func round(center point, radius, from, to float64) []point {
	steps := math.Ceil((from - to) / (3 * turn))
	var points []point
	for i := range int(steps) + 1 {
		sin, cos := math.Sincos(from + (to-from)*float64(i)/steps)
		points = append(points, point{center.x + radius*cos, center.y + radius*sin})
	}
	return points
}
