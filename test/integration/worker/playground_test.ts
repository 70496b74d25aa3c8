import "playwright-core";
