"""How fast Fullbake is, against what people run today and against what the processor can do. `make bench`."""
