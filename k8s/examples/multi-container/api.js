// Serves, and keeps nothing.
setInterval(() => {}, 1000);
