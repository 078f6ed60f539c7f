"""A scene with too little light: what lights it, the lamps that stay lit, and how the photo is brightened again."""
