// Reference: a Node that does nothing.
setInterval(() => undefined, 2_147_483_647);
