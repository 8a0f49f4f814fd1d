package main

import (
	"sync"

	"github.com/distributed-donut/donut/wasm/donut"
)

// A scene names a picture.
type scene struct {
	detail int
	frame  uint64
}

// pictures are what the native renderer draws. The crowd's own workers leave theirs here, since at a high detail nobody
// could draw all of them a second time. Its methods may be called concurrently, but for compare.
type pictures struct {
	renderer *donut.Renderer // the critic's own
	detail   int             // of renderer

	mu    sync.Mutex
	drawn map[scene]*donut.Picture
}

func newPictures() *pictures {
	return &pictures{drawn: make(map[scene]*donut.Picture)}
}

// add leaves a picture that the native renderer drew.
func (p *pictures) add(s scene, picture *donut.Picture) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.drawn[s]; !ok {
		p.drawn[s] = new(*picture)
	}
}

// compare returns how many of a reel's frames are not what the renderer draws. Reels come in the order of their frames,
// more or less: what lies before one is forgotten.
func (p *pictures) compare(r *reel) (forged uint64) {
	for i, got := range r.frames {
		if got != nil && *got != *p.draw(scene{r.detail, r.header.First + uint64(i)}) {
			forged++
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for s := range p.drawn {
		if s.frame < r.header.First {
			delete(p.drawn, s)
		}
	}
	return forged
}

// draw returns a picture, drawn by a worker where there is one.
func (p *pictures) draw(s scene) *donut.Picture {
	p.mu.Lock()
	picture, ok := p.drawn[s]
	p.mu.Unlock()
	if ok {
		return picture
	}
	if p.detail != s.detail {
		p.renderer, p.detail = donut.NewRenderer(s.detail), s.detail
	}
	picture = new(donut.Picture)
	p.renderer.Render(picture, s.frame)
	return picture
}
