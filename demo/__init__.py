"""The main job for real: a network of 14 countries on one machine, their alerts, their answers, and a few forgers."""
