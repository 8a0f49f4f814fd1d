package main

import "github.com/distributed-donut/donut/wasm/donut"

// A palette has a colour for each letter, by luminance, the least first, as 0xRRGGBB.
type palette [len(donut.Alphabet) - 1]uint32

// Baked dough where the light falls, icing in the half-light and plum in the shade. On light paper what is bright is what
// stands out, so it is darkest there.
var (
	onDark = palette{
		0x7a4872, 0x87507a, 0x984f7b, 0xab567c, 0xc3617c, 0xd77078,
		0xe68473, 0xf09b72, 0xf6b47c, 0xfacd93, 0xfde4b6, 0xfff6e0,
	}
	onLight = palette{
		0xce977f, 0xcb8871, 0xc77a67, 0xc56c62, 0xbb5a5d, 0xae495b,
		0x9e3b58, 0x8c3054, 0x78274d, 0x652044, 0x52193a, 0x3f132f,
	}
)
