// Runs once before the others.
console.log("nothing to migrate");
